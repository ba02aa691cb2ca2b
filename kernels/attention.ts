import { defineKernel, foldGroups, type Kernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention.wgsl" with { type: "text" };
import {
  type AttentionMask,
  type AttentionOptions,
  attentionSizes,
  attentionThreads,
  planSubgroups,
} from "./attention_sizes.ts";
import subgroupCode from "./attention_subgroup.wgsl" with { type: "text" };
import { checkShape } from "./rows.ts";

const BUFFERS: Kernel["buffers"] = ["read", "read", "read", "read", "read", "write", "write"];
const SIZES = { queries: "u32", keys: "u32", nHeads: "u32", nKvHeads: "u32", dHead: "u32" } as const;

const KERNEL = defineKernel({
  name: "attention",
  code,
  buffers: BUFFERS,
  params: { rows: "u32", ...SIZES, scale: "f32" },
});

const SUBGROUP_KERNEL = defineKernel({
  name: "attention_subgroup",
  code: subgroupCode,
  buffers: BUFFERS,
  params: { count: "u32", tiles: "u32", chunks: "u32", ...SIZES, scale: "f32" },
});

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
  const { batch, nHeads, nKvHeads, queries, dHead, keys } = sizes;
  const plan = planSubgroups(stream.gpu, sizes, queries * nHeads / nKvHeads);
  const z = stream.gpu.tensor(q.shape, "z");
  const logSumExp = stream.gpu.tensor([batch, nHeads, queries], "logSumExp");
  if (z.length === 0) return { z, logSumExp };
  const scale = options.scale ?? 1 / Math.sqrt(dHead);
  const params = { queries, keys, nHeads, nKvHeads, dHead, scale };
  const tensors = [q, k, v, start, length, z, logSumExp];
  if (plan) {
    const { count, tiles, chunks, wide } = plan;
    stream.dispatch(SUBGROUP_KERNEL, {
      tensors,
      params: { count, tiles, chunks, ...params },
      groups: foldGroups(count, options.groupLimit),
      constants: { WIDE: Number(wide) },
    });
  } else {
    const rows = batch * nHeads * queries;
    stream.dispatch(KERNEL, {
      tensors,
      params: { rows, ...params },
      groups: foldGroups(rows, options.groupLimit),
      constants: { WG: attentionThreads(stream.gpu), ALIGNED: Number(dHead % 4 === 0) },
    });
  }
  return { z, logSumExp };
}
