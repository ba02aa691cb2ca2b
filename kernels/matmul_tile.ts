import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import {
  alignmentConstants,
  epilogueConstants,
  layoutConstants,
  MATMUL_PARAMS,
  matmulParams,
  type MatmulProblem,
  quadBindings,
} from "./matmul_problem.ts";
import code from "./matmul_tile.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { tileSide } from "./tile_side.ts";

const KERNEL = defineKernel({
  name: "matmul_tile",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Records a product with operands staged in workgroup memory. */
export function dispatchTile(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  const blocks = (size: number): number => Math.ceil(problem.rows / size) * Math.ceil(problem.cols / size);
  const side = tileSide(problem.rows, Math.ceil(problem.cols / 64));
  stream.dispatch(KERNEL, {
    tensors: quadBindings(problem),
    params: matmulParams(problem, 4 * side),
    groups: foldGroups(blocks(4 * side), groupLimit),
    constants: {
      SIDE: side,
      ...epilogueConstants(problem),
      ...layoutConstants(problem),
      ...alignmentConstants(problem),
    },
  });
}
