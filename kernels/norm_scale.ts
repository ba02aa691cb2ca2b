import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import type { NormOptions } from "./layer_norm.ts";
import code from "./norm_scale.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "norm_scale",
  code: link(code),
  buffers: ["read", "write"],
  params: { rows: "u32", width: "u32", centre: "u32", eps: "f32" },
});

/** Options of {@linkcode normScale}. */
export interface NormScaleOptions extends NormOptions {
  /** Whether the row's mean is subtracted first: true for layer normalisation, false for RMS normalisation. */
  centre: boolean;
}

/**
 * The divisor that a norm applies to each row, TransformerLens' `hook_scale`: `sqrt(mean(x^2) + eps)`.
 *
 * @param input `x` [..., width] f32.
 * @returns One divisor a row, [rows] f32.
 * @throws {RangeError} If `out` does not have as many elements as `x` has rows.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function normScale(stream: Stream, input: { x: Tensor }, options: NormScaleOptions): Tensor {
  const action = "compute the scale of a norm";
  const { rows, width } = rowSizes(action, "x", input.x);
  const label = options.label ?? "norm scale";
  const out = outputTensor(stream, action, [rows], [input.x], { ...options, label });
  stream.dispatch(KERNEL, {
    tensors: [input.x, out],
    params: { rows, width, centre: options.centre ? 1 : 0, eps: options.eps },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
