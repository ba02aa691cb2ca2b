import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { checkDistinct, checkLength, checkWidth, rowSizes, rowThreads } from "./rows.ts";
import code from "./scatter_rows.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "scatter_rows",
  code,
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", count: "u32" },
});

/** Operands of {@linkcode scatterRows}. */
export interface ScatterRowsInput {
  /** Rows to copy, [..., width] f32, leading dimensions flattened. */
  x: Tensor;
  /** Row of `into` for each row of `x`, [rows] u32, distinct; indices past the end are skipped. */
  index: Tensor;
  /** Rows that are overwritten, [..., width] f32. */
  into: Tensor;
}

/**
 * Overwrites chosen rows in place: `into[index[i]] = x[i]`.
 *
 * @throws {RangeError} If the widths differ or `index` does not have one entry a row of `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `into` is an operand.
 */
export function scatterRows(
  stream: Stream,
  input: ScatterRowsInput,
  options: { groupLimit?: number | undefined } = {},
): void {
  const { x, index, into } = input;
  const action = "scatter rows";
  const { rows, width } = rowSizes(action, "x", x);
  const { rows: count } = checkWidth(action, "into", into, width);
  checkLength(action, "index", index, rows, "u32");
  if (x.length === 0) return;
  checkDistinct(action, "into", into, [x, index]);
  stream.dispatch(KERNEL, {
    tensors: [x, index, into],
    params: { rows, width, count },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
}
