import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { blockedSize, CHOLESKY_BLOCK, suitsBlockProducts } from "./cholesky_block.ts";
import { checkLength } from "./rows.ts";
import subgroupCode from "./cholesky_panel_subgroup.wgsl" with { type: "text" };
import code from "./cholesky_panel.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "cholesky_panel",
  code,
  buffers: ["read", "read", "write"],
  params: { size: "u32", start: "u32" },
});

const SUBGROUP_KERNEL = defineKernel({ ...KERNEL, name: "cholesky_panel_subgroup", code: link(subgroupCode) });

/** Rows that a workgroup of the subgroup variant makes. */
const SUBGROUP_ROWS = 16;

/** Rows and columns of results that a workgroup makes. */
const TILE = 32;

/**
 * The part of L below a factored diagonal block: P = A L⁻ᵀ for every row below it.
 *
 * @param input `a` [size, size] f32, of which the columns of the block are read; `inverse` [size / 64, 64, 64] f32 with
 * L⁻¹ of the block; `panel` [size, 64] f32: its rows below the block are written.
 * @param options `start` first row of the block; `groupLimit` workgroups that fit one dimension.
 * @throws {RangeError} If a shape does not fit.
 * @throws {TypeError} If a dtype differs.
 */
export function choleskyPanel(
  stream: Stream,
  input: { a: Tensor; inverse: Tensor; panel: Tensor },
  options: { start: number; groupLimit?: number },
): void {
  const action = "compute a Cholesky panel";
  const { a, inverse, panel } = input;
  const { start, groupLimit } = options;
  const size = blockedSize(action, "a", a, start);
  checkLength(action, "inverse", inverse, size * CHOLESKY_BLOCK);
  checkLength(action, "panel", panel, size * CHOLESKY_BLOCK);
  const below = size - start - CHOLESKY_BLOCK;
  const operands = { tensors: [a, inverse, panel], params: { size, start } };
  if (suitsBlockProducts(stream.gpu)) {
    stream.dispatch(SUBGROUP_KERNEL, { ...operands, groups: foldGroups(below / SUBGROUP_ROWS, groupLimit) });
    return;
  }
  const [y, z] = foldGroups(below / TILE, groupLimit);
  stream.dispatch(KERNEL, { ...operands, groups: [CHOLESKY_BLOCK / TILE, y, z] });
}
