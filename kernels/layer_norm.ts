import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import subgroupCode from "./layer_norm_subgroup.wgsl" with { type: "text" };
import code from "./layer_norm.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";
import {
  checkWeight,
  type OutputOptions,
  outputTensor,
  ROWS_A_SUBGROUP,
  rowSizes,
  rowThreads,
  suitsRowSubgroups,
} from "./rows.ts";

const KERNEL = defineKernel({
  name: "layer_norm",
  code: link(code),
  buffers: ["read", "read", "read", "write"],
  params: { rows: "u32", width: "u32", weightType: "u32", biasType: "u32", eps: "f32" },
});

const SUBGROUP_KERNEL = defineOctetKernel({
  name: "layer_norm_subgroup",
  code: subgroupCode,
  buffers: KERNEL.buffers,
  params: { rows: "u32", width: "u32", eps: "f32" },
});

/** Operands of {@linkcode layerNorm}. */
export interface LayerNormInput {
  /** Rows to normalise, [..., width] f32. */
  x: Tensor;
  /** Factor a column, [width] f32, f16 or bf16. */
  weight: Tensor;
  /** Shift a column, [width] f32, f16 or bf16. */
  bias: Tensor;
}

/** Options of the norms. */
export interface NormOptions extends OutputOptions {
  /** Added to the variance (or mean square) under the root. */
  eps: number;
}

/**
 * Layer normalisation (Ba et al. 2016): centres each row, divides it by its standard deviation, scales and shifts.
 *
 * @returns The normalised rows, the shape of `x`, f32.
 * @throws {RangeError} If `weight`, `bias` or `out` does not fit the width of `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function layerNorm(stream: Stream, input: LayerNormInput, options: NormOptions): Tensor {
  const { x, weight, bias } = input;
  const action = "layer-normalise";
  const { rows, width } = rowSizes(action, "x", x);
  const weightType = checkWeight(action, "weight", weight, [width]);
  const biasType = checkWeight(action, "bias", bias, [width]);
  const out = outputTensor(stream, action, x.shape, [x, weight, bias], options);
  if (out.length === 0) return out;
  const tensors = [x, weight, bias, out];
  const { eps } = options;
  if (suitsRowSubgroups(stream.gpu, { rows, width })) {
    stream.dispatch(SUBGROUP_KERNEL(stream.gpu), {
      tensors,
      params: { rows, width, eps },
      groups: foldGroups(Math.ceil(rows / ROWS_A_SUBGROUP), options.groupLimit),
      constants: { WEIGHT_TYPE: weightType, BIAS_TYPE: biasType },
    });
    return out;
  }
  stream.dispatch(KERNEL, {
    tensors,
    params: { rows, width, weightType, biasType, eps },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
