import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { filledRows } from "./filled_rows.ts";
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";
import {
  keepsRows,
  KEPT_QUARTER,
  type OutputOptions,
  outputTensor,
  ROWS_A_SUBGROUP,
  rowThreads,
  suitsRowSubgroups,
} from "./rows.ts";
import keptCode from "./softmax_kept.wgsl" with { type: "text" };
import subgroupCode from "./softmax_subgroup.wgsl" with { type: "text" };
import code from "./softmax.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "softmax",
  code: link(code),
  buffers: ["read", "write"],
  params: { rows: "u32", width: "u32" },
});

const SUBGROUP_KERNEL = defineOctetKernel({ ...KERNEL, name: "softmax_subgroup", code: subgroupCode });

const KEPT_KERNEL = defineOctetKernel({ ...KERNEL, name: "softmax_kept", code: keptCode });

/**
 * Softmax of each row: `exp(x) / sum(exp(x))`.
 *
 * @param input `x` [..., width] f32.
 * @returns The probabilities, the shape of `x`, f32.
 * @throws {RangeError} If rows are empty or `out` does not fit.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function softmax(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  return normalise(stream, "take the softmax", input.x, { ...options, label: options.label ?? "softmax" }, false);
}

/**
 * Log-probabilities of each row: `x - log(sum(exp(x)))`.
 *
 * @param input `x` [..., width] f32.
 * @returns The natural-log probabilities, the shape of `x`, f32.
 * @throws {RangeError} If rows are empty or `out` does not fit.
 * @throws {TypeError} If `x` is not f32 or `out` is `x`.
 */
export function logSoftmax(stream: Stream, input: { x: Tensor }, options: OutputOptions = {}): Tensor {
  return normalise(
    stream,
    "take the log-softmax",
    input.x,
    { ...options, label: options.label ?? "log-softmax" },
    true,
  );
}

function normalise(stream: Stream, action: string, x: Tensor, options: OutputOptions, log: boolean): Tensor {
  const { rows, width } = filledRows(action, "x", x);
  const out = outputTensor(stream, action, x.shape, [x], options);
  const operands = { tensors: [x, out], params: { rows, width } };
  if (keepsRows(stream.gpu, { rows, width })) {
    stream.dispatch(KEPT_KERNEL(stream.gpu), {
      ...operands,
      groups: foldGroups(rows, options.groupLimit),
      constants: { LOG: Number(log), QUARTERS: width / KEPT_QUARTER },
    });
    return out;
  }
  if (suitsRowSubgroups(stream.gpu, { rows, width })) {
    stream.dispatch(SUBGROUP_KERNEL(stream.gpu), {
      ...operands,
      groups: foldGroups(Math.ceil(rows / ROWS_A_SUBGROUP), options.groupLimit),
      constants: { LOG: Number(log) },
    });
    return out;
  }
  stream.dispatch(KERNEL, {
    ...operands,
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width), LOG: Number(log) },
  });
  return out;
}
