import { targetIds } from "../../editing/edit_token.ts";
import { completeAll } from "../../model/complete_all.ts";
import type { Model } from "../../model/model.ts";
import { teacherForce } from "../../model/teacher_forcing.ts";
import type { DemoPrompt } from "./setup.ts";

/** What a model says to one prompt. */
export interface PromptState {
  /** Greedy answer, without white space around it. */
  readonly answer: string;
  /** Probability of all tokens of the old answer, in 0..1. */
  readonly old: number;
  /** Probability of all tokens of the new answer, in 0..1. */
  readonly new: number;
}

/**
 * Asks a model a list of prompts: probabilities of both answers in one wait, and the text where it is neither of them.
 *
 * @param model Model, edited or not.
 * @param prompts Prompts with their two answers.
 * @returns One state a prompt, in the same order.
 */
export async function askPrompts(model: Model, prompts: readonly DemoPrompt[]): Promise<PromptState[]> {
  const rows = prompts.flatMap((asked) => {
    const prompt = model.tokens(asked.prompt);
    return [asked.old, asked.new].map((answer) => ({ prompt, target: targetIds(model.tokenizer, answer) }));
  });
  const results = await teacherForce(model, rows);
  const states = prompts.map((asked, i) => {
    const [old, fresh] = results.slice(2 * i, 2 * i + 2).map(({ given, logProbs }) => ({
      given,
      probability: Math.exp(logProbs.reduce((sum, x) => sum + x, 0)),
    }));
    const answer = old!.given ? asked.old : fresh!.given ? asked.new : undefined;
    return { answer, old: old!.probability, new: fresh!.probability };
  });
  const own = await completeAll(model, prompts.filter((_, i) => states[i]!.answer === undefined).map((p) => p.prompt));
  return states.map(({ answer, ...probabilities }) => ({ answer: answer ?? own.shift()!.trim(), ...probabilities }));
}
