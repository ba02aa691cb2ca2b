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
import packed from "./matvec_packed.wgsl" with { type: "text" };
import { link } from "./link.ts";

const KERNEL = defineKernel({
  name: "matvec",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

const PACKED = defineKernel({ ...KERNEL, name: "matvec_packed", code: link(packed) });

/** Types from this one on are packed. */
const FIRST_PACKED = 3;

/** Columns of y that one subgroup makes; each load of a row of `a` serves all of them. */
const COLS = 16;

/**
 * Records y = scale * a bᵀ + bias for at most 8 rows, a subgroup's lanes along the inner dimension.
 *
 * The row count is rounded up to a power of two, so that at most four variants are compiled.
 */
export function dispatchMatvec(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  const isPacked = problem.bType >= FIRST_PACKED;
  const octets = (problem.bType === 1 || problem.bType === 2) && problem.inner % 8 === 0;
  stream.dispatch(isPacked ? PACKED : KERNEL, {
    tensors: quadBindings(problem),
    params: matmulParams(problem, problem.rows),
    groups: foldGroups(Math.ceil(problem.cols / COLS), groupLimit),
    constants: {
      ...epilogueConstants(problem),
      ...(isPacked ? {} : { ...alignmentConstants(problem), B_OCTETS: Number(octets) }),
      LANES: stream.gpu.subgroupSize!,
      ROWS: 2 ** Math.ceil(Math.log2(problem.rows)),
    },
  });
}
