import { allOrNone } from "../src/gpu/all_or_none.ts";
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { filledRows, type ReductionOptions } from "./filled_rows.ts";
import { MAX_ROUNDS } from "./rounds.ts";
import { rowThreads } from "./rows.ts";
import code from "./top_k.wgsl" with { type: "text" };

/** Largest k: the kernel reads a row once for each element it finds. */
const MAX_K = 128;

const KERNEL = defineKernel({
  name: "top_k",
  code,
  buffers: ["read", "write", "write"],
  params: { rows: "u32", width: "u32", k: "u32", first: "u32", count: "u32" },
});

/** Options of {@linkcode topK}. */
export interface TopKOptions extends ReductionOptions {
  /** Elements wanted of each row, 1 to 128 and at most the width. */
  k: number;
}

/** What {@linkcode topK} returns. */
export interface TopKOutput {
  /** The largest elements, descending, [rows, k] f32. */
  values: Tensor;
  /** Their indices in the row, [rows, k] u32. */
  indices: Tensor;
}

/**
 * The k largest elements of each row, descending; the lowest index first on ties.
 *
 * @param input `x` [..., width] f32.
 * @throws {RangeError} If k is no integer from 1 to 128, or above the width.
 * @throws {TypeError} If `x` is not f32.
 */
export function topK(stream: Stream, input: { x: Tensor }, options: TopKOptions): TopKOutput {
  const { k } = options;
  const action = `find the ${k} largest elements`;
  const { rows, width } = filledRows(action, "x", input.x);
  if (!Number.isInteger(k) || k < 1 || k > Math.min(MAX_K, width)) {
    throw new RangeError(
      `Cannot ${action} of rows of ${width}: k must be an integer from 1 to ${Math.min(MAX_K, width)}`,
    );
  }
  const [values, indices] = allOrNone([
    () => stream.gpu.tensor([rows, k], "top-k values"),
    () => stream.gpu.tensor([rows, k], "top-k indices", "u32"),
  ]);
  const threads = rowThreads(stream.gpu, width);
  const atOnce = Math.max(1, Math.floor(MAX_ROUNDS / (Math.ceil(width / threads) + Math.log2(threads) + 1)));
  for (let first = 0; first < k; first += atOnce) {
    stream.dispatch(KERNEL, {
      tensors: [input.x, values, indices],
      params: { rows, width, k, first, count: Math.min(atOnce, k - first) },
      groups: foldGroups(rows, options.groupLimit),
      constants: { WG: threads },
    });
  }
  return { values, indices };
}
