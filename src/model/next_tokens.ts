import { logSoftmax } from "../../kernels/softmax.ts";
import { topK } from "../../kernels/top_k.ts";
import type { Model } from "./model.ts";

/** A token that may come next. */
export interface NextToken {
  /** Token id. */
  id: number;
  /** Its text. */
  text: string;
  /** Its probability. */
  probability: number;
}

/** The `count` (at most 128) likeliest next tokens of a prompt, most likely first. */
export async function nextTokens(
  model: Model,
  prompt: string | readonly number[],
  count: number,
): Promise<NextToken[]> {
  checkCount(count);
  const { stream } = model.gpu;
  const ids = typeof prompt === "string" ? model.tokens(prompt) : prompt;
  using cache = model.forward(ids);
  using logProbs = logSoftmax(stream, { x: cache.logits! });
  const best = topK(stream, { x: logProbs }, { k: Math.min(count, model.config.vocab) });
  using values = best.values;
  using indices = best.indices;
  const [logs, tokens] = await stream.read(values, indices);
  return Array.from(
    tokens!,
    (id, i) => ({ id, text: model.tokenizer.tokenText(id), probability: Math.exp(logs![i]!) }),
  );
}

/** Passes a number of tokens that can be shown. @throws {RangeError} If it is not 1 to 128. */
export function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= 128) return;
  throw new RangeError(`Cannot show ${count} next tokens: wanted 1 to 128`);
}
