import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_u64.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_u64",
  code: link(code, { wide: true }),
  buffers: ["read", "write"],
  params: { count: "u32" },
});

/**
 * Each eight values in reverse order, moved as 64-bit words. The device must have the feature `u64`, or the shader does
 * not compile.
 *
 * @param input `x` f32, any shape, a multiple of 8 elements.
 * @returns The values, the shape of `x`, f32.
 * @throws {RangeError} If the number of elements is no multiple of 8.
 * @throws {TypeError} If `x` is not f32.
 */
export function probeU64(stream: Stream, input: { x: Tensor }): Tensor {
  const { x } = input;
  checkDtype("prove 64-bit words", "x", x, "f32");
  if (x.length % 8 !== 0) {
    throw new RangeError(`Cannot prove 64-bit words: x must have a multiple of 8 elements, got ${x.length}`);
  }
  const out = stream.gpu.tensor(x.shape, "u64 probe");
  stream.dispatch(KERNEL, {
    tensors: [x, out],
    params: { count: x.length },
    groups: [Math.ceil(x.length / 512), 1, 1],
  });
  return out;
}
