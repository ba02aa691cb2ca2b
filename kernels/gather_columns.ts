import { rowRanges } from "../src/gpu/binding.ts";
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./gather_columns.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype, checkMatrix, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "gather_columns",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { rows: "u32", first: "u32", height: "u32", width: "u32", top: "u32", count: "u32" },
});

/** Operands of {@linkcode gatherColumns}. */
export interface GatherColumnsInput {
  /** Matrix, [height, width] f32, f16, bf16 or packed. */
  weight: Tensor;
  /** Column for each output row, [count] u32; indices from `width` up give zeros. */
  index: Tensor;
}

/** Options of {@linkcode gatherColumns}. */
export interface GatherColumnsOptions extends OutputOptions {
  /** First output row that is written, and first index that is read. Default: 0. */
  first?: number | undefined;
  /** Output rows that are written. Default: all from `first` on. */
  rows?: number | undefined;
}

/**
 * Copies chosen columns of a weight into rows and widens them to f32: `y[i] = weight[:, index[i]]`.
 *
 * With `out`, `first` and `rows`, the columns of several weights fill one tensor, each from its part of `index`.
 *
 * @returns The columns as rows, [count, height] f32.
 * @throws {RangeError} If `weight` is no matrix, the rows lie outside `index`, or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function gatherColumns(stream: Stream, input: GatherColumnsInput, options: GatherColumnsOptions = {}): Tensor {
  const { weight, index } = input;
  const action = "gather columns";
  const weightType = checkMatrix(action, "weight", weight, "height, width");
  const [height, width] = weight.shape as [number, number];
  checkDtype(action, "index", index, "u32");
  const { first = 0, rows = index.length - first } = options;
  if (first < 0 || rows < 0 || first + rows > index.length) {
    throw new RangeError(`Cannot ${action}: rows ${first} to ${first + rows} lie outside the ${index.length} of index`);
  }
  const out = outputTensor(stream, action, [index.length, height], [weight, index], options);
  if (rows * height === 0) return out;
  for (const { first: top, rows: count, binding } of rowRanges(weight)) {
    stream.dispatch(KERNEL, {
      tensors: [binding, index, out],
      params: { rows, first, height, width, top, count },
      groups: foldGroups(rows, options.groupLimit),
      constants: { WG: rowThreads(stream.gpu, count), B_TYPE: weightType },
    });
  }
  return out;
}
