import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchElementwise } from "./elementwise.ts";
import code from "./gelu.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype, type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "gelu",
  code: link(code),
  buffers: ["read", "write"],
  params: { quads: "u32" },
});

/** Options of {@linkcode gelu} and its gradient. */
export interface GeluOptions extends OutputOptions {
  /** The tanh approximation (`gelu_new`, GPT-2 and GPT-J) or the error function (`gelu`, GPT-NeoX). */
  kind: "tanh" | "exact";
}

/**
 * Gaussian error linear unit (Hendrycks and Gimpel 2016): `x * Phi(x)`.
 *
 * @param input `x` of any shape, f32.
 * @returns The activations, the shape of `x`, f32.
 * @throws {RangeError} If `out` does not fit.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function gelu(stream: Stream, input: { x: Tensor }, options: GeluOptions): Tensor {
  const action = "apply GELU";
  checkDtype(action, "x", input.x, "f32");
  const out = outputTensor(stream, action, input.x.shape, [input.x], options);
  // A constant, not a parameter: Mesa's CPU driver compiles a kernel that a parameter halves again at every launch.
  const constants = { EXACT: options.kind === "exact" ? 1 : 0 };
  dispatchElementwise(stream, KERNEL, [input.x, out], out.length, options.groupLimit, {}, constants);
  return out;
}
