import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_pattern.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { type AttentionMask, type AttentionOptions, attentionSizes, attentionThreads } from "./attention_sizes.ts";
import { type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "attention_pattern",
  code: link(code),
  buffers: ["read", "read", "read", "read", "write"],
  params: { rows: "u32", queries: "u32", keys: "u32", nHeads: "u32", nKvHeads: "u32", dHead: "u32", scale: "f32" },
});

/** Operands of {@linkcode attentionPattern}. */
export interface AttentionPatternInput extends AttentionMask {
  /** Queries, [batch, queries, nHeads, dHead] f32. */
  q: Tensor;
  /** Keys, [batch, keys, nKvHeads, dHead] f32. */
  k: Tensor;
}

/** Options of {@linkcode attentionPattern}. */
export interface AttentionPatternOptions extends AttentionOptions, OutputOptions {}

/**
 * Attention probabilities: the softmax of the scaled scores over the keys that a query sees, 0 at all others.
 *
 * @returns The pattern, [batch, nHeads, queries, keys] f32.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function attentionPattern(
  stream: Stream,
  input: AttentionPatternInput,
  options: AttentionPatternOptions = {},
): Tensor {
  const { q, k, start, length } = input;
  const action = "compute the attention pattern";
  const { batch, queries, keys, nHeads, nKvHeads, dHead } = attentionSizes(action, q, k, input);
  const label = options.label ?? "pattern";
  const out = outputTensor(stream, action, [batch, nHeads, queries, keys], [q, k, start, length], {
    ...options,
    label,
  });
  if (out.length === 0) return out;
  const rows = batch * nHeads * queries;
  const scale = options.scale ?? 1 / Math.sqrt(dHead);
  stream.dispatch(KERNEL, {
    tensors: [q, k, start, length, out],
    params: { rows, queries, keys, nHeads, nKvHeads, dHead, scale },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: attentionThreads(stream.gpu, keys, dHead), ALIGNED: Number(dHead % 4 === 0) },
  });
  return out;
}
