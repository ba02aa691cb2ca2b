import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./add_into.wgsl" with { type: "text" };
import { dispatchElementwise } from "./elementwise.ts";
import { checkDistinct, checkDtype, checkLength } from "./rows.ts";

const KERNEL = defineKernel({
  name: "add_into",
  code,
  buffers: ["read", "write"],
  params: { scale: "f32", quads: "u32" },
});

/** Operands of {@linkcode addInto}. */
export interface AddIntoInput {
  /** What is added, any shape, f32. */
  x: Tensor;
  /** What it is added to, in place; as many elements as `x`, f32. */
  into: Tensor;
}

/** Options of the kernels that add in place. */
export interface AddIntoOptions {
  /** Factor of `x`. Default: 1. */
  scale?: number | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/**
 * Adds a tensor to another in place: `into += scale * x`.
 *
 * @throws {RangeError} If the operands differ in size.
 * @throws {TypeError} If an operand is not f32 or both are the same tensor.
 */
export function addInto(stream: Stream, input: AddIntoInput, options: AddIntoOptions = {}): void {
  const { x, into } = input;
  const action = "add in place";
  checkDtype(action, "x", x, "f32");
  checkLength(action, "into", into, x.length);
  if (x.length === 0) return;
  checkDistinct(action, "into", into, [x]);
  dispatchElementwise(stream, KERNEL, [x, into], x.length, options.groupLimit, { scale: options.scale ?? 1 });
}
