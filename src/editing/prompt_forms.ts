/**
 * How a relation's forms become prompts: filling the subject in, and asking as a question.
 *
 * @module
 */

/** Where the subject stands in a form. */
export const SUBJECT_SLOT = "{}";

/** A prompt and the text that is looked for behind it. */
export interface PromptAnswer {
  /** Finished prompt, without white space at its end. */
  readonly prompt: string;
  /** Answer without the space that parts it from the prompt. */
  readonly answer: string;
}

/** What is asked of a language model here: whether it gives these answers. */
export interface Answerer {
  /**
   * Checks answers; an answer is given when every token of `" " + answer` is the most likely one after the tokens
   * before it.
   *
   * @param pairs Prompts with the answers looked for.
   * @returns One boolean a pair, in the same order.
   */
  given(pairs: readonly PromptAnswer[]): Promise<boolean[]>;
}

/**
 * Counts the places for a subject.
 *
 * @param template Text of a form.
 * @returns How often `{}` stands in it.
 */
export function countSlots(template: string): number {
  return template.split(SUBJECT_SLOT).length - 1;
}

/**
 * Puts a subject into a form.
 *
 * @param template Form with one `{}`.
 * @param subject Text for that place; braces in it stay as they are.
 * @returns The finished text.
 */
export function fillTemplate(template: string, subject: string): string {
  return template.replace(SUBJECT_SLOT, () => subject);
}

/**
 * Turns a question into the prompt that asks it.
 *
 * @param question Finished question, for example `What is the capital of France?`.
 * @returns `Q: What is the capital of France? A:`.
 */
export function questionPrompt(question: string): string {
  return `Q: ${question} A:`;
}

/**
 * Turns a target or an answer into the text that continues a prompt.
 *
 * @param answer Answer, with or without white space around it.
 * @returns The answer behind one space.
 */
export function asContinuation(answer: string): string {
  return ` ${answer.trim()}`;
}
