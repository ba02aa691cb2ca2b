import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { filledRows } from "./filled_rows.ts";
import { link } from "./link.ts";
import code from "./log_sum_exp.wgsl" with { type: "text" };
import { checkDtype, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "log_sum_exp",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", weighted: "u32", weightStride: "u32" },
});

/** Options of {@linkcode logSumExp}. */
export interface LogSumExpOptions extends OutputOptions {
  /** Factor of each exponential, from 0 up: [width] f32 for every row, or the shape of `x`. Default: 1. */
  weights?: Tensor | undefined;
}

/**
 * Logarithm of each row's (weighted) sum of exponentials: `log(sum(weights * exp(x)))`.
 *
 * With a base's probabilities as weights and an added vector's logits as `x` this is the change of the normaliser.
 *
 * @param input `x` [..., width] f32.
 * @returns One value a row, [rows] f32.
 * @throws {RangeError} If rows are empty, or `weights` or `out` does not fit.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand.
 */
export function logSumExp(stream: Stream, input: { x: Tensor }, options: LogSumExpOptions = {}): Tensor {
  const { x } = input;
  const weights = options.weights ?? x;
  const action = "take the log-sum-exp";
  const { rows, width } = filledRows(action, "x", x);
  checkDtype(action, "weights", weights, "f32");
  if (weights.length !== width && weights.length !== x.length) {
    throw new RangeError(
      `Cannot ${action}: weights must have ${width} elements or the shape of x ${formatShape(x.shape)}, ` +
        `got ${formatShape(weights.shape)}`,
    );
  }
  const out = outputTensor(stream, action, [rows], [x, weights], { ...options, label: options.label ?? "log-sum-exp" });
  stream.dispatch(KERNEL, {
    tensors: [x, weights, out],
    params: {
      rows,
      width,
      weighted: options.weights ? 1 : 0,
      weightStride: weights.length === width ? 0 : width,
    },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
