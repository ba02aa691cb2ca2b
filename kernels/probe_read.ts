import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_read.wgsl" with { type: "text" };
import { checkDtype, type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_read",
  code,
  buffers: ["read", "write"],
  params: { quads: "u32", blocks: "u32" },
});

/** Threads of a workgroup and loads of a thread: long enough that starting a workgroup costs nothing beside. */
const THREADS = 256;
const STEPS = 16;

/**
 * Reads a tensor once and sums it in parts: the read bandwidth of the device.
 *
 * @param input `x` f32, its length a multiple of 4.
 * @returns Sums of 256 lanes for each block of 16384 elements, [ceil(length / 16384) * 256] f32.
 * @throws {RangeError} If the length of `x` is no multiple of 4.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function probeRead(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  const action = "measure reading";
  checkDtype(action, "x", input.x, "f32");
  if (input.x.length % 4 !== 0) {
    throw new RangeError(`Cannot ${action}: the length of x must be a multiple of 4, got ${input.x.length}`);
  }
  const quads = input.x.length / 4;
  const blocks = Math.ceil(quads / (THREADS * STEPS));
  const shape = [blocks * THREADS];
  const out = outputTensor(stream, action, shape, [input.x], { ...options, label: options.label ?? "read sums" });
  stream.dispatch(KERNEL, {
    tensors: [input.x, out],
    params: { quads, blocks },
    groups: foldGroups(blocks, options.groupLimit),
    constants: { WG: THREADS, STEPS },
  });
  return out;
}
