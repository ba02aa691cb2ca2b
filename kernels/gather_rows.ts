import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./gather_rows.wgsl" with { type: "text" };
import { checkDtype, type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "gather_rows",
  code,
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", count: "u32" },
});

/** Operands of {@linkcode gatherRows}. */
export interface GatherRowsInput {
  /** Rows to choose from, [..., width] f32, leading dimensions flattened. */
  x: Tensor;
  /** Row of `x` for each output row, [rows] u32; indices past the end give zeros. */
  index: Tensor;
}

/**
 * Copies chosen rows: `y[i] = x[index[i]]`.
 *
 * @returns The rows, [rows, width] f32.
 * @throws {RangeError} If `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function gatherRows(stream: Stream, input: GatherRowsInput, options: OutputOptions = {}): Tensor {
  const { x, index } = input;
  const action = "gather rows";
  const { rows: count, width } = rowSizes(action, "x", x);
  checkDtype(action, "index", index, "u32");
  const out = outputTensor(stream, action, [index.length, width], [x, index], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [x, index, out],
    params: { rows: index.length, width, count },
    groups: foldGroups(index.length, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
