import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./frozen_norm.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkLength, checkWeight, type OutputOptions, outputTensor, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "frozen_norm",
  code: link(code),
  buffers: ["read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", weightType: "u32", centred: "u32", transposed: "u32" },
});

/** Operands of {@linkcode frozenNorm}. */
export interface FrozenNormInput {
  /** Rows, [..., width] f32. */
  x: Tensor;
  /** Weight of the norm, [width] f32, f16 or bf16. */
  weight: Tensor;
  /** Divisor of every row, [1] f32. */
  scale: Tensor;
}

/** Options of {@linkcode frozenNorm}. */
export interface FrozenNormOptions extends OutputOptions {
  /** Whether the mean is subtracted: true for layer normalisation, false for RMS normalisation. */
  centre: boolean;
  /** Applies the transposed map, which carries gradients and unembedding rows back. Default: false. */
  transposed?: boolean | undefined;
}

/**
 * A norm whose divisor is given instead of being the row's own, without bias, which makes it linear:
 * `y = weight * centre(x) / scale`; transposed: `y = centre(weight * x) / scale`.
 *
 * @returns The rows, [rows, width] f32.
 * @throws {RangeError} If an operand does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function frozenNorm(stream: Stream, input: FrozenNormInput, options: FrozenNormOptions): Tensor {
  const { x, weight, scale } = input;
  const action = "apply a frozen norm";
  const { rows, width } = rowSizes(action, "x", x);
  const weightType = checkWeight(action, "weight", weight, [width]);
  checkLength(action, "scale", scale, 1);
  const out = outputTensor(stream, action, [rows, width], [x, weight, scale], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [x, weight, scale, out],
    params: { rows, width, weightType, centred: options.centre ? 1 : 0, transposed: options.transposed ? 1 : 0 },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
