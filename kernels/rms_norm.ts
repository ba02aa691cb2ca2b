import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import type { NormOptions } from "./layer_norm.ts";
import keptCode from "./rms_norm_kept.wgsl" with { type: "text" };
import subgroupCode from "./rms_norm_subgroup.wgsl" with { type: "text" };
import code from "./rms_norm.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";
import {
  checkWeight,
  keepsRows,
  KEPT_QUARTER,
  outputTensor,
  ROWS_A_SUBGROUP,
  rowSizes,
  rowThreads,
  suitsRowSubgroups,
} from "./rows.ts";

const KERNEL = defineKernel({
  name: "rms_norm",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", weightType: "u32", eps: "f32" },
});

const SUBGROUP_KERNEL = defineOctetKernel({
  name: "rms_norm_subgroup",
  code: subgroupCode,
  buffers: KERNEL.buffers,
  params: { rows: "u32", width: "u32", eps: "f32" },
});

const KEPT_KERNEL = defineOctetKernel({
  name: "rms_norm_kept",
  code: keptCode,
  buffers: KERNEL.buffers,
  params: { rows: "u32", width: "u32", eps: "f32" },
});

/** Rows that a subgroup keeps: they share the loads of the weight. */
const KEPT_ROWS = 2;

/** Operands of {@linkcode rmsNorm}. */
export interface RmsNormInput {
  /** Rows to normalise, [..., width] f32. */
  x: Tensor;
  /** Factor a column, [width] f32, f16 or bf16. */
  weight: Tensor;
}

/**
 * Root-mean-square normalisation (Zhang and Sennrich 2019): divides each row by its root mean square and scales it.
 *
 * @returns The normalised rows, the shape of `x`, f32.
 * @throws {RangeError} If `weight` or `out` does not fit the width of `x`.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function rmsNorm(stream: Stream, input: RmsNormInput, options: NormOptions): Tensor {
  const { x, weight } = input;
  const action = "rms-normalise";
  const { rows, width } = rowSizes(action, "x", x);
  const weightType = checkWeight(action, "weight", weight, [width]);
  const out = outputTensor(stream, action, x.shape, [x, weight], options);
  if (out.length === 0) return out;
  const tensors = [x, weight, out];
  const { eps } = options;
  if (keepsRows(stream.gpu, { rows, width })) {
    stream.dispatch(KEPT_KERNEL(stream.gpu), {
      tensors,
      params: { rows, width, eps },
      groups: foldGroups(Math.ceil(rows / KEPT_ROWS), options.groupLimit),
      constants: { WEIGHT_TYPE: weightType, QUARTERS: width / KEPT_QUARTER },
    });
    return out;
  }
  if (suitsRowSubgroups(stream.gpu, { rows, width })) {
    stream.dispatch(SUBGROUP_KERNEL(stream.gpu), {
      tensors,
      params: { rows, width, eps },
      groups: foldGroups(Math.ceil(rows / ROWS_A_SUBGROUP), options.groupLimit),
      constants: { WEIGHT_TYPE: weightType },
    });
    return out;
  }
  stream.dispatch(KERNEL, {
    tensors,
    params: { rows, width, weightType, eps },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
