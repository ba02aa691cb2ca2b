import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import {
  elementBindings,
  epilogueConstants,
  layoutConstants,
  MATMUL_PARAMS,
  matmulParams,
  type MatmulProblem,
} from "./matmul_problem.ts";
import code from "./matmul_tile.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "matmul_tile",
  code: link(code),
  buffers: ["read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Rows, and columns, of y that one workgroup makes. */
const TILE = 64;

/** Records a product with operands staged in workgroup memory. */
export function dispatchTile(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  stream.dispatch(KERNEL, {
    tensors: elementBindings(problem),
    params: matmulParams(problem, TILE),
    groups: foldGroups(Math.ceil(problem.rows / TILE) * Math.ceil(problem.cols / TILE), groupLimit),
    constants: { ...epilogueConstants(problem), ...layoutConstants(problem) },
  });
}
