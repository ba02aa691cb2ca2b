import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { blockedSize, CHOLESKY_BLOCK } from "./cholesky_block.ts";
import { checkLength } from "./rows.ts";
import code from "./cholesky_update.wgsl" with { type: "text" };

const KERNEL = defineKernel({
  name: "cholesky_update",
  code,
  buffers: ["read", "write"],
  params: { size: "u32", start: "u32" },
});

/** Rows and columns of results that a workgroup makes. */
const TILE = 32;

/**
 * Subtracts a panel's products from the trailing matrix, A22 -= P Pᵀ (lower tiles only), and stores the panel as the
 * columns of L below the block.
 *
 * @param input `panel` [size, 64] f32 from {@linkcode choleskyPanel}; `a` [size, size] f32, changed in place.
 * @param options `start` first row of the block.
 * @throws {RangeError} If a shape does not fit.
 * @throws {TypeError} If a dtype differs.
 */
export function choleskyUpdate(
  stream: Stream,
  input: { panel: Tensor; a: Tensor },
  options: { start: number },
): void {
  const action = "update a trailing matrix";
  const { panel, a } = input;
  const { start } = options;
  const size = blockedSize(action, "a", a, start);
  checkLength(action, "panel", panel, size * CHOLESKY_BLOCK);
  const tiles = (size - start - CHOLESKY_BLOCK) / TILE;
  stream.dispatch(KERNEL, {
    tensors: [panel, a],
    params: { size, start },
    groups: [tiles === 0 ? 0 : CHOLESKY_BLOCK / TILE + tiles, tiles, 1],
  });
}
