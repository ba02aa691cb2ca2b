import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import {
  alignmentConstants,
  epilogueConstants,
  MATMUL_PARAMS,
  matmulParams,
  type MatmulProblem,
  quadBindings,
} from "./matmul_problem.ts";
import code from "./matvec.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "matvec",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Columns of y that one subgroup makes; each load of a row of `a` serves all of them. */
const COLS = 8;

/**
 * Records y = scale * a bᵀ + bias for at most 8 rows, a subgroup's lanes along the inner dimension.
 *
 * The row count is rounded up to a power of two, so that at most four variants are compiled.
 */
export function dispatchMatvec(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  stream.dispatch(KERNEL, {
    tensors: quadBindings(problem),
    params: matmulParams(problem),
    groups: foldGroups(Math.ceil(problem.cols / COLS), groupLimit),
    constants: {
      ...epilogueConstants(problem),
      ...alignmentConstants(problem),
      LANES: stream.gpu.subgroupSize!,
      ROWS: 2 ** Math.ceil(Math.log2(problem.rows)),
    },
  });
}
