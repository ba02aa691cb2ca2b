import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchElementwise } from "./elementwise.ts";
import { checkDtype, checkLength, type OutputOptions, outputTensor } from "./rows.ts";
import code from "./silu_gated.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "silu_gated",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { quads: "u32" },
});

/** Operands of {@linkcode siluGated}. */
export interface SiluGatedInput {
  /** Output of the gate projection, any shape, f32. */
  gate: Tensor;
  /** Output of the up projection, the shape of `gate`, f32. */
  up: Tensor;
}

/**
 * Gated linear unit with SiLU (SwiGLU, Shazeer 2020): `gate * sigmoid(gate) * up`.
 *
 * @returns The activations, the shape of `gate`, f32.
 * @throws {RangeError} If the operands differ in size.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand.
 */
export function siluGated(stream: Stream, input: SiluGatedInput, options: OutputOptions = {}): Tensor {
  const { gate, up } = input;
  const action = "apply gated SiLU";
  checkDtype(action, "gate", gate, "f32");
  checkLength(action, "up", up, gate.length);
  const out = outputTensor(stream, action, gate.shape, [gate, up], options);
  dispatchElementwise(stream, KERNEL, [gate, up, out], out.length, options.groupLimit);
  return out;
}
