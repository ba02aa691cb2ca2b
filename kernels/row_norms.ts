import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";
import code from "./row_norms.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "row_norms",
  code: link(code),
  buffers: ["read", "write"],
  params: { rows: "u32", width: "u32" },
});

/**
 * Euclidean norm of each row.
 *
 * @param input `x` [..., width] f32.
 * @returns One norm a row, [rows] f32.
 * @throws {RangeError} If `out` does not have as many elements as `x` has rows.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function rowNorms(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  const action = "take the norms of rows";
  const { rows, width } = rowSizes(action, "x", input.x);
  const out = outputTensor(stream, action, [rows], [input.x], { ...options, label: options.label ?? "row norms" });
  stream.dispatch(KERNEL, {
    tensors: [input.x, out],
    params: { rows, width },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
