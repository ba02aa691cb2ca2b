import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { filledRows, SLICE } from "./filled_rows.ts";
import type { KlDivergenceInput } from "./kl_divergence.ts";
import code from "./kl_divergence_backward.wgsl" with { type: "text" };
import { checkLength, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "kl_divergence_backward",
  code,
  buffers: ["read", "read", "read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", slice: "u32" },
});

/** Operands of {@linkcode klDivergenceBackward}. */
export interface KlDivergenceBackwardInput extends KlDivergenceInput {
  /** What `klDivergence` returned, [rows] f32. */
  kl: Tensor;
  /** Factor of each row's divergence in the loss, [rows] f32. */
  weight: Tensor;
}

/**
 * Gradient by the logits of the sum of `weight * divergence`: `weight * p * (log p - reference - kl)`.
 *
 * @returns The gradient, the shape of `logits`, f32.
 * @throws {RangeError} If rows are empty, or an operand or `out` does not fit.
 * @throws {TypeError} If an operand is not f32 or `out` is an operand.
 */
export function klDivergenceBackward(
  stream: Stream,
  input: KlDivergenceBackwardInput,
  options: OutputOptions = {},
): Tensor {
  const { logits, logSumExp, reference, kl, weight } = input;
  const action = "differentiate the divergence";
  const { rows, width } = filledRows(action, "logits", logits);
  checkLength(action, "logSumExp", logSumExp, rows);
  checkLength(action, "reference", reference, logits.length);
  checkLength(action, "kl", kl, rows);
  checkLength(action, "weight", weight, rows);
  const tensors = [logits, logSumExp, reference, kl, weight];
  const label = options.label ?? "divergence gradient";
  const out = outputTensor(stream, action, logits.shape, tensors, { ...options, label });
  const [x, y] = foldGroups(rows, options.groupLimit);
  stream.dispatch(KERNEL, {
    tensors: [...tensors, out],
    params: { rows, width, slice: SLICE },
    groups: [x, y, Math.ceil(width / SLICE)],
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
