import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { blockedSize, CHOLESKY_BLOCK } from "./cholesky_block.ts";
import { checkLength } from "./rows.ts";
import code from "./triangular_block.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "triangular_block",
  code,
  buffers: ["read", "read", "write"],
  params: {
    start: "u32",
    first: "u32",
    end: "u32",
    columns: "u32",
    rowStride: "u32",
    innerStride: "u32",
    blockRow: "u32",
    blockInner: "u32",
  },
});

/**
 * Solves for one block of rows of L X = B, or of Lᵀ X = B, in place. Blocks are done in ascending order for L and in
 * descending order for Lᵀ, each with a call of its own.
 *
 * @param input `lower` [size, size] f32, of which the lower triangle is read; `inverse` [size / 64, 64, 64] f32 with the
 * inverted diagonal blocks of L; `x` [size, columns] f32, columns a multiple of 4, changed in place.
 * @param options `start` first row of the block; `transposed` for Lᵀ.
 * @throws {RangeError} If a shape does not fit.
 * @throws {TypeError} If a dtype differs.
 */
export function triangularBlock(
  stream: Stream,
  input: { lower: Tensor; inverse: Tensor; x: Tensor },
  options: { start: number; transposed?: boolean },
): void {
  const action = "solve for a block of rows";
  const { lower, inverse, x } = input;
  const { start, transposed = false } = options;
  const size = blockedSize(action, "lower", lower, start);
  const columns = x.length / size;
  checkLength(action, "inverse", inverse, size * CHOLESKY_BLOCK);
  checkLength(action, "x", x, size * Math.ceil(columns / 4) * 4);
  const ranges = transposed ? { first: start + CHOLESKY_BLOCK, end: size } : { first: 0, end: start };
  const strides = transposed
    ? { rowStride: 1, innerStride: size, blockRow: 1, blockInner: CHOLESKY_BLOCK }
    : { rowStride: size, innerStride: 1, blockRow: CHOLESKY_BLOCK, blockInner: 1 };
  stream.dispatch(KERNEL, {
    tensors: [lower, inverse, x],
    params: { start, columns, ...ranges, ...strides },
    groups: [columns / 4, 1, 1],
  });
}
