import type { Tokenizer } from "../model/tokenizer.ts";

/**
 * Tokens of an answer as it continues a prompt; an answer that does not start with white space gets a space in front.
 *
 * @returns Token ids; none for an empty text.
 */
export function answerTokens(tokenizer: Tokenizer, answer: string): number[] {
  if (answer === "") return [];
  return tokenizer.encode(/^\s/.test(answer) ? answer : ` ${answer}`, { continues: true });
}

/**
 * First tokens of other answers: what a contrast compares a target with.
 *
 * @param others Answers, as texts or token ids.
 * @param target Token of the target.
 * @returns Each token once, the target's not among them.
 */
export function rivalTokens(tokenizer: Tokenizer, others: readonly (string | number)[], target: number): number[] {
  const first = others.flatMap((other) =>
    typeof other === "number" ? [other] : answerTokens(tokenizer, other).slice(0, 1)
  );
  return [...new Set(first)].filter((id) => id !== target);
}
