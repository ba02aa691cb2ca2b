import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./add_scaled_rows.wgsl" with { type: "text" };
import { checkDtype, checkLength, checkWidth, type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "add_scaled_rows",
  code,
  buffers: ["read", "read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", count: "u32" },
});

/** Operands of {@linkcode addScaledRows}. */
export interface AddScaledRowsInput {
  /** What is added, [rows, width] f32. */
  x: Tensor;
  /** Rows it may be added to, [count, width] f32. */
  base: Tensor;
  /** Row of `base` for each row of `x`, [rows] u32; slots past the end count as rows of zeros. */
  slot: Tensor;
  /** Factor of each row of `x`, [rows] f32. */
  factor: Tensor;
}

/**
 * Adds each row, times a factor of its own, to a chosen base row: `y[i] = base[slot[i]] + factor[i] * x[i]`.
 *
 * @returns The sums, [rows, width] f32.
 * @throws {RangeError} If sizes differ or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function addScaledRows(stream: Stream, input: AddScaledRowsInput, options: OutputOptions = {}): Tensor {
  const { x, base, slot, factor } = input;
  const action = "add scaled rows";
  const { rows, width } = rowSizes(action, "x", x);
  const { rows: count } = checkWidth(action, "base", base, width);
  checkDtype(action, "slot", slot, "u32");
  checkLength(action, "slot", slot, rows, "u32");
  checkLength(action, "factor", factor, rows);
  const out = outputTensor(stream, action, [rows, width], [x, base, slot, factor], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [x, base, slot, factor, out],
    params: { rows, width, count },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
