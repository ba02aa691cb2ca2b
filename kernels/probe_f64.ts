import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_f64.wgsl" with { type: "text" };
import { checkShape, rowSizes } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_f64",
  code,
  buffers: ["read", "read", "write"],
  params: { rows: "u32", terms: "u32" },
});

/**
 * Dot products of rows in double precision. The device must have the feature `f64`, or the shader does not compile.
 *
 * @param input `a` and `b`, [rows, terms] f32.
 * @returns [rows, 2] f32: the result rounded to f32, and what is missing.
 * @throws {RangeError} If the shapes differ.
 * @throws {TypeError} If an operand is not f32.
 */
export function probeF64(stream: Stream, input: { a: Tensor; b: Tensor }): Tensor {
  const action = "prove double precision";
  const { rows, width: terms } = rowSizes(action, "a", input.a);
  checkShape(action, "b", input.b, input.a.shape);
  const out = stream.gpu.tensor([rows, 2], "f64 probe");
  stream.dispatch(KERNEL, {
    tensors: [input.a, input.b, out],
    params: { rows, terms },
    groups: [Math.ceil(rows / 64), 1, 1],
  });
  return out;
}
