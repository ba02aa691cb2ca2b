import { allOrNone } from "../src/gpu/all_or_none.ts";
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./cross_entropy.wgsl" with { type: "text" };
import { filledRows, type ReductionOptions } from "./filled_rows.ts";
import { checkLength, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "cross_entropy",
  code,
  buffers: ["read", "read", "write", "write", "write"],
  params: { rows: "u32", width: "u32" },
});

/** Operands of {@linkcode crossEntropy}. */
export interface CrossEntropyInput {
  /** Unnormalised log-probabilities, [..., vocab] f32. */
  logits: Tensor;
  /** Wanted token of each row, each below vocab, [rows] u32. */
  target: Tensor;
}

/** What {@linkcode crossEntropy} returns. */
export interface CrossEntropyOutput {
  /** Natural-log probability of the wanted token, [rows] f32. */
  logProb: Tensor;
  /** Logarithm of the sum of exponentials, [rows] f32. */
  logSumExp: Tensor;
  /** Most likely token, the lowest on ties, [rows] u32. */
  argmax: Tensor;
}

/**
 * Log-probability of a wanted token in each row, with the normaliser and the most likely token, in one pass that
 * stores no probabilities.
 *
 * @throws {RangeError} If rows are empty or `target` has not one token a row.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function crossEntropy(
  stream: Stream,
  input: CrossEntropyInput,
  options: ReductionOptions = {},
): CrossEntropyOutput {
  const { logits, target } = input;
  const action = "compute the cross-entropy";
  const { rows, width } = filledRows(action, "logits", logits);
  checkLength(action, "target", target, rows, "u32");
  const [logProb, logSumExp, argmax] = allOrNone([
    () => stream.gpu.tensor([rows], "log-probability"),
    () => stream.gpu.tensor([rows], "log-sum-exp"),
    () => stream.gpu.tensor([rows], "argmax", "u32"),
  ]);
  stream.dispatch(KERNEL, {
    tensors: [logits, target, logProb, logSumExp, argmax],
    params: { rows, width },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return { logProb, logSumExp, argmax };
}
