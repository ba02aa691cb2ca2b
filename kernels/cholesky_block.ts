import type { Gpu } from "../src/gpu/gpu.ts";
import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { checkLength, checkShape } from "./rows.ts";
import code from "./cholesky_block.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "cholesky_block",
  code,
  buffers: ["write", "write", "write"],
  params: { size: "u32", start: "u32", floor: "f32" },
});

/** Rows and columns of a block: sizes of everything in the blocked factorisation are multiples of it. */
export const CHOLESKY_BLOCK = 64;

/** Whether the subgroup variants of panel and update run: where broadcasting pays. */
export function suitsBlockProducts(gpu: Gpu): boolean {
  return gpu.sharing.way === "broadcast";
}

/**
 * Size of a square matrix that is cut into blocks.
 *
 * @param action What the caller is about to do, as in `Cannot <action>`.
 * @param start First row of the block concerned.
 * @returns Number of rows.
 * @throws {RangeError} If the matrix is not square, no multiple of the block, or the block lies outside.
 * @throws {TypeError} If it is not f32.
 */
export function blockedSize(action: string, name: string, tensor: Tensor, start: number): number {
  const size = tensor.shape[0] ?? 0;
  checkShape(action, name, tensor, [size, size]);
  if (size % CHOLESKY_BLOCK !== 0 || start % CHOLESKY_BLOCK !== 0 || start < 0 || start >= size) {
    throw new RangeError(
      `Cannot ${action}: size and first row must be multiples of ${CHOLESKY_BLOCK} with the row inside, ` +
        `got ${size} and ${start}`,
    );
  }
  return size;
}

/**
 * Factors the diagonal block from row `start` on in place, A = L Lᵀ, and inverts L.
 *
 * @param input `a` [size, size] f32: the block is replaced by L, what lies above its diagonal is kept; `inverse`
 * [size / 64, 64, 64] f32: receives L⁻¹; `status` [1] u32: becomes 1 + the row of the first bad pivot unless it is set.
 * @param options `start` first row; `floor` smallest pivot that is accepted.
 * @throws {RangeError} If a shape does not fit.
 * @throws {TypeError} If a dtype differs.
 */
export function choleskyBlock(
  stream: Stream,
  input: { a: Tensor; inverse: Tensor; status: Tensor },
  options: { start: number; floor: number },
): void {
  const action = "factor a diagonal block";
  const { a, inverse, status } = input;
  const { start, floor } = options;
  const size = blockedSize(action, "a", a, start);
  checkLength(action, "inverse", inverse, size * CHOLESKY_BLOCK);
  checkLength(action, "status", status, 1, "u32");
  stream.dispatch(KERNEL, { tensors: [a, inverse, status], params: { size, start, floor }, groups: [1, 1, 1] });
}
