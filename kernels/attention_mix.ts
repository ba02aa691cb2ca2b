import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./attention_mix.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkGroups } from "./attention_sizes.ts";
import { checkDtype, checkShape, type OutputOptions, outputTensor } from "./rows.ts";

/** Threads of a workgroup; each computes four columns of one row, without barriers. */
const THREADS = 64;

const KERNEL = defineKernel({
  name: "attention_mix",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { quads: "u32", queries: "u32", keys: "u32", nHeads: "u32", nKvHeads: "u32", dHead: "u32" },
});

/** Operands of {@linkcode attentionMix}. */
export interface AttentionMixInput {
  /** Attention probabilities, or anything else to weigh values by, [batch, nHeads, queries, keys] f32. */
  pattern: Tensor;
  /** Values, [batch, keys, nKvHeads, dHead] f32; those of keys with weight 0 need not be numbers. */
  v: Tensor;
}

/**
 * Sum of the values by the weights of a pattern: `z[b, t, h] = sum_s pattern[b, h, t, s] v[b, s, kv head of h]`.
 *
 * @returns The mixed values, [batch, queries, nHeads, dHead] f32.
 * @throws {RangeError} If the shapes do not fit each other.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function attentionMix(stream: Stream, input: AttentionMixInput, options: OutputOptions = {}): Tensor {
  const { pattern, v } = input;
  const action = "mix values";
  const [batch, nHeads, queries, keys] = sizes(action, "pattern", "[batch, nHeads, queries, keys]", pattern);
  const [, , nKvHeads, dHead] = sizes(action, "v", "[batch, keys, nKvHeads, dHead]", v);
  checkShape(action, "v", v, [batch, keys, nKvHeads, dHead]);
  checkGroups(action, nHeads, nKvHeads);
  const label = options.label ?? "z";
  const out = outputTensor(stream, action, [batch, queries, nHeads, dHead], [pattern, v], { ...options, label });
  if (out.length === 0) return out;
  const quads = batch * queries * nHeads * Math.ceil(dHead / 4);
  stream.dispatch(KERNEL, {
    tensors: [pattern, v, out],
    params: { quads, queries, keys, nHeads, nKvHeads, dHead },
    groups: foldGroups(Math.ceil(quads / THREADS), options.groupLimit),
    constants: { WG: THREADS, ALIGNED: Number(dHead % 4 === 0) },
  });
  return out;
}

function sizes(action: string, name: string, wanted: string, tensor: Tensor): [number, number, number, number] {
  checkDtype(action, name, tensor, "f32");
  if (tensor.shape.length !== 4) {
    throw new RangeError(`Cannot ${action}: ${name} must have shape ${wanted}, got ${formatShape(tensor.shape)}`);
  }
  return [...tensor.shape] as [number, number, number, number];
}
