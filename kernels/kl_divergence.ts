import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { filledRows } from "./filled_rows.ts";
import code from "./kl_divergence.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkLength, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "kl_divergence",
  code: link(code),
  buffers: ["read", "read", "read", "write"],
  params: { rows: "u32", width: "u32" },
});

/** Operands of {@linkcode klDivergence}. */
export interface KlDivergenceInput {
  /** Unnormalised log-probabilities, [..., vocab] f32. */
  logits: Tensor;
  /** Their log-sum-exp, from `crossEntropy` or `logSumExp`, [rows] f32. */
  logSumExp: Tensor;
  /** Log-probabilities to stay close to, as many elements as `logits`, f32. */
  reference: Tensor;
}

/**
 * Kullback-Leibler divergence of each row from a reference: `sum(p * (log p - reference))`, in nats, where
 * `log p = logits - logSumExp`.
 *
 * @returns One divergence a row, [rows] f32.
 * @throws {RangeError} If rows are empty, or an operand or `out` does not fit.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand.
 */
export function klDivergence(stream: Stream, input: KlDivergenceInput, options: OutputOptions = {}): Tensor {
  const { logits, logSumExp, reference } = input;
  const action = "compute the divergence";
  const { rows, width } = filledRows(action, "logits", logits);
  checkLength(action, "logSumExp", logSumExp, rows);
  checkLength(action, "reference", reference, logits.length);
  const label = options.label ?? "divergence";
  const out = outputTensor(stream, action, [rows], [logits, logSumExp, reference], { ...options, label });
  stream.dispatch(KERNEL, {
    tensors: [logits, logSumExp, reference, out],
    params: { rows, width },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
