import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { blockedSize, CHOLESKY_BLOCK, suitsBlockProducts } from "./cholesky_block.ts";
import { checkLength } from "./rows.ts";
import subgroupCode from "./cholesky_update_subgroup.wgsl" with { type: "text" };
import code from "./cholesky_update.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "cholesky_update",
  code,
  buffers: ["read", "write"],
  params: { size: "u32", start: "u32" },
});

const SUBGROUP_KERNEL = defineKernel({ ...KERNEL, name: "cholesky_update_subgroup", code: link(subgroupCode) });

/** Rows and columns of results that a workgroup of the subgroup variant makes. */
const SUBGROUP_TILE = { rows: 16, cols: 64 };

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
  const below = size - start - CHOLESKY_BLOCK;
  if (below === 0) return;
  const operands = { tensors: [panel, a], params: { size, start } };
  if (suitsBlockProducts(stream.gpu)) {
    const { rows, cols } = SUBGROUP_TILE;
    stream.dispatch(SUBGROUP_KERNEL, { ...operands, groups: [1 + below / cols, below / rows, 1] });
    return;
  }
  stream.dispatch(KERNEL, { ...operands, groups: [(CHOLESKY_BLOCK + below) / TILE, below / TILE, 1] });
}
