import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_copy.wgsl" with { type: "text" };
import { checkDtype, type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_copy",
  code,
  buffers: ["read", "write"],
  params: { quads: "u32" },
});

/** Threads of a workgroup and moves of a thread, as in `probe_read`. */
const THREADS = 256;
const STEPS = 16;

/**
 * Copies a tensor by a kernel: the copy bandwidth of the device, and with a few elements the cost of a launch.
 *
 * @param input `x` f32, its length a multiple of 4.
 * @returns The same elements, in the shape of `x`.
 * @throws {RangeError} If the length of `x` is no multiple of 4.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function probeCopy(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  const action = "measure copying";
  checkDtype(action, "x", input.x, "f32");
  if (input.x.length % 4 !== 0) {
    throw new RangeError(`Cannot ${action}: the length of x must be a multiple of 4, got ${input.x.length}`);
  }
  const quads = input.x.length / 4;
  const blocks = Math.ceil(quads / (THREADS * STEPS));
  const out = outputTensor(stream, action, input.x.shape, [input.x], { ...options, label: options.label ?? "copy" });
  stream.dispatch(KERNEL, {
    tensors: [input.x, out],
    params: { quads },
    groups: foldGroups(blocks, options.groupLimit),
    constants: { WG: THREADS, STEPS },
  });
  return out;
}
