import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { checkDtype, checkLength, type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";
import code from "./sum_rows_by_slot.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "sum_rows_by_slot",
  code,
  buffers: ["read", "read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", count: "u32", pairs: "u32", hasWeights: "u32" },
});

/** Operands of {@linkcode sumRowsBySlot}. */
export interface SumRowsBySlotInput {
  /** Rows to sum, [..., width] f32, leading dimensions flattened. */
  x: Tensor;
  /** Row of `x` for each summand, [pairs] u32. */
  row: Tensor;
  /** Output row for each summand, [pairs] u32. */
  slot: Tensor;
}

/** Options of {@linkcode sumRowsBySlot}. */
export interface SumRowsBySlotOptions extends OutputOptions {
  /** Number of output rows; a slot without summands is zero. */
  slots: number;
  /** Factor of each summand, [pairs] f32. Default: 1. */
  weights?: Tensor | undefined;
}

/**
 * Sums rows by slot: `y[j]` is the sum of `weights[i] * x[row[i]]` over the i with `slot[i] = j`, in the order of i.
 *
 * @returns The sums, [slots, width] f32.
 * @throws {RangeError} If `row`, `slot` and `weights` differ in length or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function sumRowsBySlot(stream: Stream, input: SumRowsBySlotInput, options: SumRowsBySlotOptions): Tensor {
  const { x, row, slot } = input;
  const action = "sum rows by slot";
  const { rows: count, width } = rowSizes(action, "x", x);
  checkDtype(action, "row", row, "u32");
  checkLength(action, "slot", slot, row.length, "u32");
  if (options.weights) checkLength(action, "weights", options.weights, row.length);
  const weights = options.weights ?? x;
  const out = outputTensor(stream, action, [options.slots, width], [x, row, slot, weights], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [x, row, slot, weights, out],
    params: { rows: options.slots, width, count, pairs: row.length, hasWeights: options.weights ? 1 : 0 },
    groups: foldGroups(options.slots, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
