import { allOrNone } from "../src/gpu/all_or_none.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_backward_query.wgsl" with { type: "text" };
import subgroupCode from "./attention_backward_query_subgroup.wgsl" with { type: "text" };
import { type AttentionMask, type AttentionOptions, attentionSizes } from "./attention_sizes.ts";
import { defineAttention, dispatchAttention } from "./attention_variant.ts";
import { checkShape } from "./rows.ts";

const VARIANTS = defineAttention("attention_backward_query", code, subgroupCode, [
  ...new Array<"read">(8).fill("read"),
  "write",
  "write",
]);

/** Operands of {@linkcode attentionBackwardQuery}: those of `attention`, what it returned, and the gradient of `z`. */
export interface AttentionBackwardQueryInput extends AttentionMask {
  /** Gradient of the mixed values, [batch, queries, nHeads, dHead] f32. */
  dz: Tensor;
  /** Queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Keys, [batch, keys, nKvHeads, dHead] f32. */
  k: Tensor;
  /** Values, [batch, keys, nKvHeads, dHead] f32. */
  v: Tensor;
  /** Mixed values, [batch, queries, nHeads, dHead] f32. */
  z: Tensor;
  /** From the forward pass, [batch, nHeads, queries] f32. */
  logSumExp: Tensor;
}

/** What {@linkcode attentionBackwardQuery} returns. */
export interface AttentionBackwardQueryOutput {
  /** Gradient of the queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Mean gradient of a query's probabilities under them, the sum of `dz z` over columns, [batch, nHeads, queries] f32. */
  delta: Tensor;
}

/**
 * Gradient of attention with respect to its queries (Dao et al. 2022, FlashAttention, algorithm 4).
 *
 * @returns The gradient, and a statistic that the gradients of keys and values need.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function attentionBackwardQuery(
  stream: Stream,
  input: AttentionBackwardQueryInput,
  options: AttentionOptions = {},
): AttentionBackwardQueryOutput {
  const { dz, q, k, v, z, logSumExp, start, length } = input;
  const action = "differentiate attention";
  const sizes = attentionSizes(action, q, k, input);
  const { batch, nHeads, nKvHeads, queries } = sizes;
  checkShape(action, "v", v, k.shape);
  checkShape(action, "dz", dz, q.shape);
  checkShape(action, "z", z, q.shape);
  checkShape(action, "logSumExp", logSumExp, [batch, nHeads, queries]);
  const [dq, delta] = allOrNone([
    () => stream.gpu.tensor(q.shape, "dq"),
    () => stream.gpu.tensor(logSumExp.shape, "delta"),
  ]);
  if (dq.length === 0) return { q: dq, delta };
  const rows = { rowsPerKvHead: queries * nHeads / nKvHeads, steps: sizes.keys };
  dispatchAttention(stream, VARIANTS, sizes, rows, [
    dz,
    q,
    k,
    v,
    z,
    logSumExp,
    start,
    length,
    dq,
    delta,
  ], options);
  return { q: dq, delta };
}
