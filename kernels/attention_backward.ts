import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { attentionBackwardKey } from "./attention_backward_key.ts";
import { attentionBackwardQuery, type AttentionBackwardQueryInput } from "./attention_backward_query.ts";
import type { AttentionOptions } from "./attention_sizes.ts";

/** Operands of {@linkcode attentionBackward}: those of `attention`, what it returned, and the gradient of `z`. */
export type AttentionBackwardInput = AttentionBackwardQueryInput;

/** What {@linkcode attentionBackward} returns. */
export interface AttentionBackwardOutput {
  /** Gradient of the queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Gradient of the keys at the queries' positions, [batch, queries, nKvHeads, dHead] f32. */
  k: Tensor;
  /** Gradient of the values at the queries' positions, [batch, queries, nKvHeads, dHead] f32. */
  v: Tensor;
}

/**
 * Gradients of `attention` with respect to the queries and to the keys and values at the queries' own positions; keys and
 * values before `start` are constants.
 *
 * @param options The same `scale` as in the forward pass.
 * @returns The three gradients.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function attentionBackward(
  stream: Stream,
  input: AttentionBackwardInput,
  options: AttentionOptions = {},
): AttentionBackwardOutput {
  const { q, delta } = attentionBackwardQuery(stream, input, options);
  const { dz, k, v, logSumExp, start, length } = input;
  try {
    return { q, ...attentionBackwardKey(stream, { dz, q: input.q, k, v, logSumExp, delta, start, length }, options) };
  } catch (error) {
    q.dispose();
    throw error;
  } finally {
    delta.dispose();
  }
}
