import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_f16.wgsl" with { type: "text" };
import { checkDtype } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_f16",
  code: `enable f16;\n${code}`,
  buffers: ["read", "write"],
  params: { count: "u32" },
});

/**
 * Computes x * x + x in half precision. The device must have the feature `f16`, or the shader does not compile.
 *
 * @param input `x` [count] f32.
 * @returns [count] f32.
 * @throws {TypeError} If `x` is not f32.
 */
export function probeF16(stream: Stream, input: { x: Tensor }): Tensor {
  checkDtype("prove half precision", "x", input.x, "f32");
  const count = input.x.length;
  const out = stream.gpu.tensor([count], "f16 probe");
  stream.dispatch(KERNEL, { tensors: [input.x, out], params: { count }, groups: [Math.ceil(count / 64), 1, 1] });
  return out;
}
