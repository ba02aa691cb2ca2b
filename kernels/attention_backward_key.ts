import { allOrNone } from "../src/gpu/all_or_none.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_backward_key.wgsl" with { type: "text" };
import subgroupCode from "./attention_backward_key_subgroup.wgsl" with { type: "text" };
import { type AttentionMask, type AttentionOptions, attentionSizes } from "./attention_sizes.ts";
import { defineAttention, dispatchAttention } from "./attention_variant.ts";
import { checkShape } from "./rows.ts";

const VARIANTS = defineAttention("attention_backward_key", code, subgroupCode, [
  ...new Array<"read">(8).fill("read"),
  "write",
  "write",
]);

/** Operands of {@linkcode attentionBackwardKey}. */
export interface AttentionBackwardKeyInput extends AttentionMask {
  /** Gradient of the mixed values, [batch, queries, nHeads, dHead] f32. */
  dz: Tensor;
  /** Queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Keys, [batch, keys, nKvHeads, dHead] f32. */
  k: Tensor;
  /** Values, [batch, keys, nKvHeads, dHead] f32. */
  v: Tensor;
  /** From the forward pass, [batch, nHeads, queries] f32. */
  logSumExp: Tensor;
  /** From `attentionBackwardQuery`, [batch, nHeads, queries] f32. */
  delta: Tensor;
}

/** What {@linkcode attentionBackwardKey} returns. */
export interface AttentionBackwardKeyOutput {
  /** Gradient of the keys at the queries' positions, [batch, queries, nKvHeads, dHead] f32. */
  k: Tensor;
  /** Gradient of the values at the queries' positions, [batch, queries, nKvHeads, dHead] f32. */
  v: Tensor;
}

/**
 * Gradients of attention with respect to the keys and values at the positions `start[b] + t` of the queries themselves,
 * summed over the query heads that share them (Dao et al. 2022, FlashAttention, algorithm 4). Earlier keys are constants.
 *
 * @returns The gradients; those of positions past a sequence's length are 0.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function attentionBackwardKey(
  stream: Stream,
  input: AttentionBackwardKeyInput,
  options: AttentionOptions = {},
): AttentionBackwardKeyOutput {
  const { dz, q, k, v, logSumExp, delta, start, length } = input;
  const action = "differentiate attention";
  const sizes = attentionSizes(action, q, k, input);
  const { batch, nHeads, nKvHeads, queries, dHead } = sizes;
  checkShape(action, "v", v, k.shape);
  checkShape(action, "dz", dz, q.shape);
  checkShape(action, "logSumExp", logSumExp, [batch, nHeads, queries]);
  checkShape(action, "delta", delta, [batch, nHeads, queries]);
  const [dk, dv] = allOrNone([
    () => stream.gpu.tensor([batch, queries, nKvHeads, dHead], "dk"),
    () => stream.gpu.tensor([batch, queries, nKvHeads, dHead], "dv"),
  ]);
  if (dk.length === 0) return { k: dk, v: dv };
  const rows = { rowsPerKvHead: queries, steps: queries * nHeads / nKvHeads };
  dispatchAttention(stream, VARIANTS, sizes, rows, [dz, q, k, v, logSumExp, delta, start, length, dk, dv], options);
  return { k: dk, v: dv };
}
