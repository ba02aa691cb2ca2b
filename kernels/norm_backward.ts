import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import type { NormOptions } from "./layer_norm.ts";
import code from "./norm_backward.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkLength, checkWeight, outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "norm_backward",
  code: link(code),
  buffers: ["read", "read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", weightType: "u32", hasAdd: "u32", eps: "f32" },
});

/** Operands of {@linkcode layerNormBackward} and {@linkcode rmsNormBackward}. */
export interface NormBackwardInput {
  /** Gradient of the loss by the norm's output, [..., width] f32. */
  dy: Tensor;
  /** The norm's input, [..., width] f32. */
  x: Tensor;
  /** Factor a column, [width] f32, f16 or bf16. */
  weight: Tensor;
  /** Gradient that reaches `x` past the norm (the residual stream), added to the result, [..., width] f32. */
  add?: Tensor | undefined;
}

/**
 * Gradient of the loss by the input of `layerNorm`; the statistics are computed again from `x`.
 *
 * @returns `dx` (+ `add`), the shape of `x`, f32.
 * @throws {RangeError} If an operand does not fit `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function layerNormBackward(stream: Stream, input: NormBackwardInput, options: NormOptions): Tensor {
  return backward(stream, "differentiate layer norm", input, options, true);
}

/**
 * Gradient of the loss by the input of `rmsNorm`; the statistics are computed again from `x`.
 *
 * @returns `dx` (+ `add`), the shape of `x`, f32.
 * @throws {RangeError} If an operand does not fit `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function rmsNormBackward(stream: Stream, input: NormBackwardInput, options: NormOptions): Tensor {
  return backward(stream, "differentiate RMS norm", input, options, false);
}

function backward(
  stream: Stream,
  action: string,
  input: NormBackwardInput,
  options: NormOptions,
  centred: boolean,
): Tensor {
  const { dy, x, weight } = input;
  const add = input.add ?? x;
  const { rows, width } = rowSizes(action, "x", x);
  checkLength(action, "dy", dy, x.length);
  checkLength(action, "add", add, x.length);
  const weightType = checkWeight(action, "weight", weight, [width]);
  const out = outputTensor(stream, action, x.shape, [dy, x, weight, add], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [dy, x, weight, add, out],
    params: { rows, width, weightType, hasAdd: input.add ? 1 : 0, eps: options.eps },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width), CENTRED: Number(centred) },
  });
  return out;
}
