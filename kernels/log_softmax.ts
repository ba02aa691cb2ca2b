import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { filledRows } from "./filled_rows.ts";
import { type OutputOptions, outputTensor, rowThreads } from "./rows.ts";
import code from "./log_softmax.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "log_softmax",
  code,
  buffers: ["read", "write"],
  params: { rows: "u32", width: "u32" },
});

/**
 * Log-probabilities of each row: `x - log(sum(exp(x)))`.
 *
 * @param input `x` [..., width] f32.
 * @returns The natural-log probabilities, the shape of `x`, f32.
 * @throws {RangeError} If rows are empty or `out` does not fit.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function logSoftmax(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  const { x } = input;
  const action = "take the log-softmax";
  const { rows, width } = filledRows(action, "x", x);
  const out = outputTensor(stream, action, x.shape, [x], { ...options, label: options.label ?? "log-softmax" });
  stream.dispatch(KERNEL, {
    tensors: [x, out],
    params: { rows, width },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
