import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./cross_entropy_backward.wgsl" with { type: "text" };
import { filledRows, SLICE } from "./filled_rows.ts";
import { checkLength, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "cross_entropy_backward",
  code,
  buffers: ["read", "read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", slice: "u32" },
});

/** Operands of {@linkcode crossEntropyBackward}. */
export interface CrossEntropyBackwardInput {
  /** Unnormalised log-probabilities, [..., vocab] f32. */
  logits: Tensor;
  /** Log-probability of the wanted token of each row, from `crossEntropy`, [rows] f32. */
  logProb: Tensor;
  /** Wanted token of each row, [rows] u32. */
  target: Tensor;
  /** Factor of each row's negative log-probability in the loss, [rows] f32. */
  weight: Tensor;
}

/**
 * Gradient by the logits of the sum of `-weight * log p(target)`: `weight * (softmax(logits) - onehot(target))`.
 *
 * @returns The gradient, the shape of `logits`, f32.
 * @throws {RangeError} If rows are empty, or an operand or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function crossEntropyBackward(
  stream: Stream,
  input: CrossEntropyBackwardInput,
  options: OutputOptions = {},
): Tensor {
  const { logits, logProb, target, weight } = input;
  const action = "differentiate the cross-entropy";
  const { rows, width } = filledRows(action, "logits", logits);
  checkLength(action, "logProb", logProb, rows);
  checkLength(action, "target", target, rows, "u32");
  checkLength(action, "weight", weight, rows);
  const label = options.label ?? "cross-entropy gradient";
  const out = outputTensor(stream, action, logits.shape, [logits, logProb, weight], { ...options, label });
  const [x, y] = foldGroups(rows, options.groupLimit);
  stream.dispatch(KERNEL, {
    tensors: [logits, logProb, target, weight, out],
    params: { rows, width, slice: SLICE },
    groups: [x, y, Math.ceil(width / SLICE)],
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
