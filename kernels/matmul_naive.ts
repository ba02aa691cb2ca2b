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
import code from "./matmul_naive.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "matmul_naive",
  code: link(code),
  buffers: ["read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Threads of a workgroup, one output each. */
const THREADS = 64;

/** Records a product with one output a thread: the baseline of measurements. */
export function dispatchNaive(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  stream.dispatch(KERNEL, {
    tensors: elementBindings(problem),
    params: matmulParams(problem, 1),
    groups: foldGroups(Math.ceil(problem.rows * problem.cols / THREADS), groupLimit),
    constants: { ...epilogueConstants(problem), ...layoutConstants(problem) },
  });
}
