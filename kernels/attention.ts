import { allOrNone } from "../src/gpu/all_or_none.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention.wgsl" with { type: "text" };
import { type AttentionMask, type AttentionOptions, attentionSizes } from "./attention_sizes.ts";
import subgroupCode from "./attention_subgroup.wgsl" with { type: "text" };
import { defineAttention, dispatchAttention } from "./attention_variant.ts";
import { checkShape } from "./rows.ts";

const VARIANTS = defineAttention("attention", code, subgroupCode, [
  "read",
  "read",
  "read",
  "read",
  "read",
  "write",
  "write",
]);

/** Operands of {@linkcode attention}. */
export interface AttentionInput extends AttentionMask {
  /** Queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Keys, [batch, keys, nKvHeads, dHead] f32. */
  k: Tensor;
  /** Values, [batch, keys, nKvHeads, dHead] f32. */
  v: Tensor;
}

/** What {@linkcode attention} returns. */
export interface AttentionOutput {
  /** Mixed values, [batch, queries, nHeads, dHead] f32. */
  z: Tensor;
  /** Logarithm of the sum of the exponentials of the scaled scores, [batch, nHeads, queries] f32. */
  logSumExp: Tensor;
}

/**
 * Attention in one kernel that never stores the pattern: scores, running softmax and mix by blocks of keys (Dao et al.
 * 2022, FlashAttention).
 *
 * @returns The mixed values and what the backward pass rebuilds the pattern from.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function attention(stream: Stream, input: AttentionInput, options: AttentionOptions = {}): AttentionOutput {
  const { q, k, v, start, length } = input;
  const action = "attend";
  const sizes = attentionSizes(action, q, k, input);
  checkShape(action, "v", v, k.shape);
  const { batch, nHeads, nKvHeads, queries } = sizes;
  const [z, logSumExp] = allOrNone([
    () => stream.gpu.tensor(q.shape, "z"),
    () => stream.gpu.tensor([batch, nHeads, queries], "logSumExp"),
  ]);
  if (z.length === 0) return { z, logSumExp };
  dispatchAttention(
    stream,
    VARIANTS,
    sizes,
    { rowsPerKvHead: queries * nHeads / nKvHeads, steps: sizes.keys },
    [q, k, v, start, length, z, logSumExp],
    options,
  );
  return { z, logSumExp };
}
