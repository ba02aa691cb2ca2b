import { allOrNone } from "../src/gpu/all_or_none.ts";
import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchElementwise } from "./elementwise.ts";
import { checkDtype, checkLength } from "./rows.ts";
import code from "./silu_gated_backward.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "silu_gated_backward",
  code: link(code),
  buffers: ["read", "read", "read", "write", "write"],
  params: { quads: "u32" },
});

/** Operands of {@linkcode siluGatedBackward}. */
export interface SiluGatedBackwardInput {
  /** Gradient of the loss by the activation, the shape of `gate`, f32. */
  dy: Tensor;
  /** Output of the gate projection, any shape, f32. */
  gate: Tensor;
  /** Output of the up projection, the shape of `gate`, f32. */
  up: Tensor;
}

/** What {@linkcode siluGatedBackward} returns. */
export interface SiluGatedGradients {
  /** Gradient by `gate`, its shape, f32. */
  gate: Tensor;
  /** Gradient by `up`, its shape, f32. */
  up: Tensor;
}

/**
 * Gradients of the loss by both inputs of `siluGated`.
 *
 * @returns Two new tensors.
 * @throws {RangeError} If the operands differ in size.
 * @throws {TypeError} If an operand is not f32.
 */
export function siluGatedBackward(
  stream: Stream,
  input: SiluGatedBackwardInput,
  options: { groupLimit?: number | undefined } = {},
): SiluGatedGradients {
  const { dy, gate, up } = input;
  const action = "differentiate gated SiLU";
  checkDtype(action, "gate", gate, "f32");
  checkLength(action, "up", up, gate.length);
  checkLength(action, "dy", dy, gate.length);
  const [dGate, dUp] = allOrNone([
    () => stream.gpu.tensor(gate.shape, "gate gradient"),
    () => stream.gpu.tensor(gate.shape, "up gradient"),
  ]);
  dispatchElementwise(stream, KERNEL, [dy, gate, up, dGate, dUp], gate.length, options.groupLimit);
  return { gate: dGate, up: dUp };
}
