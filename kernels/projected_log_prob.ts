import { rowRanges } from "../src/gpu/binding.ts";
import { defineKernel, foldGroups, type Kernel } from "../src/gpu/kernel.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { add } from "./add.ts";
import { filledRows, type ReductionOptions } from "./filled_rows.ts";
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";
import { logSumExp } from "./log_sum_exp.ts";
import code from "./projected_log_prob.wgsl" with { type: "text" };
import subgroupCode from "./projected_log_prob_subgroup.wgsl" with { type: "text" };
import { NO_BIAS } from "./matmul_problem.ts";
import { MAX_ROUNDS } from "./rounds.ts";
import { checkLength, checkMatrix, checkWeight } from "./rows.ts";
import { tileSide } from "./tile_side.ts";

const PARAMS = {
  rows: "u32",
  rowBlocks: "u32",
  cols: "u32",
  inner: "u32",
  slices: "u32",
  slice: "u32",
  firstCol: "u32",
  firstSlice: "u32",
  allSlices: "u32",
} as const;

const TILE: Kernel = defineKernel({
  name: "projected_log_prob",
  code: link(code),
  buffers: [...new Array<"read">(7).fill("read"), "write", "write"],
  params: { ...PARAMS, aStride: "u32" },
});

const SUBGROUP = defineOctetKernel({
  name: "projected_log_prob_subgroup",
  code: subgroupCode,
  buffers: [...new Array<"read">(6).fill("read"), "write", "write"],
  params: PARAMS,
});

/** Columns whose log-sum-exp a workgroup takes: what is stored shrinks by as much, and there are groups enough. */
const SLICE = 512;

/** Columns of a slice where `inner` terms for each of 64 columns are no more rounds than a launch may take. */
function sliceFor(inner: number): number {
  // `subgroup` takes the most, eight terms a round, and adds up the logit of the token again.
  const rounds = Math.ceil(inner / 8) + 4;
  const once = Math.ceil(inner / 8) + 64;
  return 64 * Math.max(1, Math.min(SLICE / 64, Math.floor((MAX_ROUNDS - once) / rounds)));
}

/** Rows that `subgroup` takes at a time. */
const SUBGROUP_ROWS = 16;

/**
 * Ways to compute it: `subgroup` shares rows by broadcast between 8 lanes, `tile` stages operands in workgroup memory, and
 * stands in for `subgroup` where `inner` is no multiple of 8.
 */
export type ProjectedLogProbVariant = "subgroup" | "tile";

/** Operands of {@linkcode projectedLogProb}. */
export interface ProjectedLogProbInput {
  /** Projected rows, [..., inner] f32. */
  a: Tensor;
  /** What projects them, [cols, inner] f32, f16, bf16 or packed. */
  b: Tensor;
  /** Added to each projection, [cols] f32, f16 or bf16. */
  bias?: Tensor | undefined;
  /** Wanted column of each row, each below cols, [rows] u32. */
  token: Tensor;
}

/** Options of {@linkcode projectedLogProb}. */
export interface ProjectedLogProbOptions extends ReductionOptions {
  /** Forces a variant; for tests and measurements. Default: what suits the device and the number of rows. */
  variant?: ProjectedLogProbVariant | undefined;
}

/**
 * Log-probability of one column in each row of `softmax(a bᵀ + bias)`. The products are made, exponentiated and summed
 * in one kernel with a running maximum; neither logits nor probabilities are stored, so any number of rows fits.
 *
 * @returns [rows] f32.
 * @throws {RangeError} If sizes do not fit or there are no columns.
 * @throws {TypeError} If an operand has the wrong dtype.
 */
export function projectedLogProb(
  stream: Stream,
  input: ProjectedLogProbInput,
  options: ProjectedLogProbOptions = {},
): Tensor {
  const { a, b, bias, token } = input;
  const action = "compute projected log-probabilities";
  const { rows, width: inner } = filledRows(action, "a", a);
  const bType = checkMatrix(action, "b", b, "cols, inner");
  const cols = b.shape[0]!;
  if (cols === 0 || b.shape[1] !== inner) {
    throw new RangeError(`Cannot ${action}: b must have shape [at least 1, ${inner}], got ${formatShape(b.shape)}`);
  }
  const biasType = bias ? checkWeight(action, "bias", bias, [cols]) : NO_BIAS;
  checkLength(action, "token", token, rows, "u32");
  const subgroup = inner % 8 === 0 && (options.variant ?? variantFor(stream.gpu)) === "subgroup";
  const slice = sliceFor(inner);
  const parts = rowRanges(b).map((range) => ({ ...range, slices: Math.ceil(range.rows / slice) }));
  const allSlices = parts.reduce((sum, { slices }) => sum + slices, 0);
  using logSums = stream.gpu.tensor([rows, allSlices], "log-sum-exp by slices");
  using logits = stream.gpu.tensor([rows], "logits of tokens");
  const side = tileSide(rows, allSlices);
  const rowBlocks = Math.ceil(rows / (subgroup ? SUBGROUP_ROWS : 4 * side));
  const params = { rows, rowBlocks, inner, slice, allSlices };
  const types = { B_TYPE: bType, BIAS_TYPE: biasType };
  const aligned = Number(inner % 4 === 0);
  let firstSlice = 0;
  for (const { first, rows: count, binding, slices } of rows === 0 ? [] : parts) {
    const shift = bias ? { tensor: bias, byteOffset: first * (bias.byteLength / cols) } : binding;
    const part = { ...params, cols: count, slices, firstCol: first, firstSlice };
    const groups = foldGroups(rowBlocks * slices, options.groupLimit);
    // WGSL gives a binding one type: what is read by words of several sizes is bound once a type.
    if (subgroup) {
      stream.dispatch(SUBGROUP(stream.gpu), {
        tensors: [a, binding, binding, binding, shift, token, logSums, logits],
        params: part,
        groups,
        constants: types,
      });
    } else {
      stream.dispatch(TILE, {
        tensors: [a, a, binding, binding, binding, shift, token, logSums, logits],
        params: { ...part, aStride: inner },
        groups,
        constants: { SIDE: side, ...types, B_TRANSPOSED: 1, A_ALIGNED: aligned, B_ALIGNED: aligned },
      });
    }
    firstSlice += slices;
  }
  using total = logSumExp(stream, { x: logSums });
  return add(stream, { a: logits, b: total }, { scale: -1 });
}

/** Broadcasts where they cost less than loads. */
function variantFor(gpu: Gpu): ProjectedLogProbVariant {
  return gpu.sharing.way === "broadcast" ? "subgroup" : "tile";
}
