import type { Model } from "../model/model.ts";
import { teacherForce } from "../model/teacher_forcing.ts";
import { targetIds } from "./edit_token.ts";
import type { Answerer, PromptAnswer } from "./prompt_forms.ts";

/**
 * Says which answers a model gives: every token of " " + answer is the most likely one given those before.
 *
 * @param signal Stops before the next question.
 */
export function modelAnswerer(model: Model, signal?: AbortSignal): Answerer {
  return {
    given: async (pairs: readonly PromptAnswer[]): Promise<boolean[]> => {
      signal?.throwIfAborted();
      const rows = pairs.map(({ prompt, answer }) => ({
        prompt: model.tokens(prompt),
        target: targetIds(model.tokenizer, answer),
      }));
      return (await teacherForce(model, rows)).map((result) => result.given);
    },
  };
}

/** The model's own next tokens after each prompt, greedy, all prompts together: one wait a token. */
export async function greedyContinuations(
  model: Model,
  prompts: readonly (readonly number[])[],
  count: number,
): Promise<number[][]> {
  const found: number[][] = prompts.map(() => []);
  for (let step = 0; step < count; step++) {
    // A label is needed to be asked at all; which one does not matter for the most likely token.
    const rows = prompts.map((prompt, i) => ({ prompt: [...prompt, ...found[i]!], target: [0] }));
    (await teacherForce(model, rows)).forEach((result, i) => found[i]!.push(result.argmax[0]!));
  }
  return found;
}
