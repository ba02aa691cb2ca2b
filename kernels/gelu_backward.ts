import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchElementwise } from "./elementwise.ts";
import type { GeluOptions } from "./gelu.ts";
import code from "./gelu_backward.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype, checkLength, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "gelu_backward",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { quads: "u32" },
});

/** Operands of {@linkcode geluBackward}. */
export interface GeluBackwardInput {
  /** Gradient of the loss by the activation, the shape of `x`, f32. */
  dy: Tensor;
  /** Input of the activation, any shape, f32. */
  x: Tensor;
}

/**
 * Gradient of the loss by the input of `gelu`.
 *
 * @returns `dx`, the shape of `x`, f32.
 * @throws {RangeError} If the operands differ in size.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand.
 */
export function geluBackward(stream: Stream, input: GeluBackwardInput, options: GeluOptions): Tensor {
  const { dy, x } = input;
  const action = "differentiate GELU";
  checkDtype(action, "x", x, "f32");
  checkLength(action, "dy", dy, x.length);
  const out = outputTensor(stream, action, x.shape, [dy, x], options);
  // A constant, not a parameter: Mesa's CPU driver compiles a kernel that a parameter halves again at every launch.
  const constants = { EXACT: options.kind === "exact" ? 1 : 0 };
  dispatchElementwise(stream, KERNEL, [dy, x, out], out.length, options.groupLimit, {}, constants);
  return out;
}
