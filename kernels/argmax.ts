import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./argmax.wgsl" with { type: "text" };
import { filledRows, type ReductionOptions } from "./filled_rows.ts";
import { rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "argmax",
  code,
  buffers: ["read", "write"],
  params: { rows: "u32", width: "u32" },
});

/**
 * Index of the largest element of each row; the lowest such index on ties.
 *
 * @param input `x` [..., width] f32.
 * @returns One index a row, [rows] u32.
 * @throws {RangeError} If rows are empty.
 * @throws {TypeError} If `x` is not f32.
 */
export function argmax(stream: Stream, input: { x: Tensor }, options: ReductionOptions = {}): Tensor {
  const { rows, width } = filledRows("find the largest elements", "x", input.x);
  const out = stream.gpu.tensor([rows], "argmax", "u32");
  stream.dispatch(KERNEL, {
    tensors: [input.x, out],
    params: { rows, width },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
