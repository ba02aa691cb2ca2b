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
import code from "./matmul_register.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "matmul_register",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Rows and columns of y that one workgroup makes. */
const BLOCK = { rows: 16, cols: 32 };

/** Records a product with 4 x 4 outputs a thread and nothing shared between threads. */
export function dispatchRegister(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  const blocks = Math.ceil(problem.rows / BLOCK.rows) * Math.ceil(problem.cols / BLOCK.cols);
  stream.dispatch(KERNEL, {
    tensors: quadBindings(problem),
    params: matmulParams(problem, BLOCK.rows),
    groups: foldGroups(blocks, groupLimit),
    constants: { ...epilogueConstants(problem), ...layoutConstants(problem), ...alignmentConstants(problem) },
  });
}
