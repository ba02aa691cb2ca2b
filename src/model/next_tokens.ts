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

/** Most next tokens that are listed. */
export const MOST_NEXT_TOKENS = 128;

/**
 * The `count` likeliest next tokens of a prompt, most likely first.
 *
 * @throws {RangeError} If `count` is not within 1 and {@linkcode MOST_NEXT_TOKENS}.
 */
export async function nextTokens(
  model: Model,
  prompt: string | readonly number[],
  count: number,
): Promise<NextToken[]> {
  if (!Number.isInteger(count) || count < 1 || count > MOST_NEXT_TOKENS) {
    throw new RangeError(`Cannot show ${count} next tokens: wanted 1 to ${MOST_NEXT_TOKENS}`);
  }
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
