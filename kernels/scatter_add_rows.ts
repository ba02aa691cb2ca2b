import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import type { AddIntoOptions } from "./add_into.ts";
import { checkDistinct, checkDtype, checkLength, checkWidth, rowSizes, rowThreads } from "./rows.ts";
import code from "./scatter_add_rows.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "scatter_add_rows",
  code,
  buffers: ["read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", count: "u32", slots: "u32", scale: "f32" },
});

/** Operands of {@linkcode scatterAddRows}. */
export interface ScatterAddRowsInput {
  /** Rows to add, [slots, width] f32 (leading dimensions flattened). */
  x: Tensor;
  /** Row of `x` for each addition, [pairs] u32; one row may be added to many. */
  slot: Tensor;
  /** Row of `into` for each addition, [pairs] u32, distinct. */
  row: Tensor;
  /** Rows that are added to in place, [..., width] f32. */
  into: Tensor;
}

/**
 * Adds rows to chosen rows in place: `into[row[i]] += scale * x[slot[i]]`; pairs past the ends are skipped.
 *
 * @throws {RangeError} If the widths differ, or `slot` and `row` differ in length.
 * @throws {TypeError} If an operand has the wrong dtype or `into` is an operand.
 */
export function scatterAddRows(stream: Stream, input: ScatterAddRowsInput, options: AddIntoOptions = {}): void {
  const { x, slot, row, into } = input;
  const action = "scatter-add rows";
  const { rows: slots, width } = rowSizes(action, "x", x);
  const { rows: count } = checkWidth(action, "into", into, width);
  checkDtype(action, "slot", slot, "u32");
  checkLength(action, "row", row, slot.length, "u32");
  if (width === 0 || slot.length === 0) return;
  checkDistinct(action, "into", into, [x, slot, row]);
  stream.dispatch(KERNEL, {
    tensors: [x, slot, row, into],
    params: { rows: slot.length, width, count, slots, scale: options.scale ?? 1 },
    groups: foldGroups(slot.length, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
}
