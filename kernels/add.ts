import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./add.wgsl" with { type: "text" };
import { dispatchElementwise } from "./elementwise.ts";
import { checkDtype, checkLength, type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "add",
  code,
  buffers: ["read", "read", "write"],
  params: { scale: "f32", quads: "u32" },
});

/** Operands of {@linkcode add}. */
export interface AddInput {
  /** First summand, any shape, f32. */
  a: Tensor;
  /** Second summand, as many elements as `a`, f32. */
  b: Tensor;
}

/** Options of {@linkcode add}. */
export interface AddOptions extends OutputOptions {
  /** Factor of `b`. Default: 1. */
  scale?: number | undefined;
}

/**
 * Adds two tensors: `a + scale * b`.
 *
 * @returns The sum, the shape of `a`, f32.
 * @throws {RangeError} If the operands differ in size.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand (`addInto` adds in place).
 */
export function add(stream: Stream, input: AddInput, options: AddOptions = {}): Tensor {
  const { a, b } = input;
  const action = "add";
  checkDtype(action, "a", a, "f32");
  checkLength(action, "b", b, a.length);
  const out = outputTensor(stream, action, a.shape, [a, b], options);
  const params = { scale: options.scale ?? 1 };
  dispatchElementwise(stream, KERNEL, [a, b, out], out.length, options.groupLimit, params);
  return out;
}
