import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import {
  alignmentConstants,
  elementBindings,
  epilogueConstants,
  MATMUL_PARAMS,
  matmulParams,
  type MatmulProblem,
  quadBindings,
} from "./matmul_problem.ts";
import code from "./matvec.wgsl" with { type: "text" };
import octet from "./matvec_octet.wgsl" with { type: "text" };
import packed from "./matvec_packed.wgsl" with { type: "text" };
import pairs from "./matvec_pairs.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";

const KERNEL = defineKernel({
  name: "matvec",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

const PACKED_KERNEL = defineOctetKernel({
  name: "matvec_packed",
  code: packed,
  buffers: ["read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

const OCTET_KERNEL = defineOctetKernel({
  name: "matvec_octet",
  code: octet,
  buffers: ["read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

const PAIRS_KERNEL = defineKernel({
  name: "matvec_pairs",
  code: link(pairs),
  buffers: ["read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Types from this one on are packed. */
const FIRST_PACKED = 3;

/** Columns of y that one subgroup makes; each load of a row of `a` serves all of them. */
const COLS = 16;

/** Subgroups of a workgroup, and columns that each makes, where threads run side by side. */
const PAIRS = { subgroups: 4, cols: 2 };

/** Whether rows of `a` are whole octets of f32, and rows of `b` whole octets of words. */
function isOctets({ bType, inner, aStride }: MatmulProblem): boolean {
  return bType < FIRST_PACKED && inner % (bType === 0 ? 8 : 16) === 0 && aStride % 8 === 0;
}

/**
 * Records y = scale * a bᵀ + bias for at most 8 rows, a subgroup's lanes along the inner dimension.
 *
 * Where threads run side by side, many subgroups with few columns each: on a GPU of 132 cores 4096 x 4096 takes 22 us with
 * two columns and 109 with sixteen. Elsewhere few with many columns, as each load of `a` counts.
 *
 * The row count is rounded up to a power of two, so that at most four variants are compiled.
 */
export function dispatchMatvec(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  const { gpu } = stream;
  const { a, b, bias, out, bType, cols, inner, aStride } = problem;
  const params = matmulParams(problem, problem.rows);
  const lanes = gpu.subgroupSize!;
  const constants = { ...epilogueConstants(problem), LANES: lanes, ROWS: 2 ** Math.ceil(Math.log2(problem.rows)) };
  if (gpu.sharing.way === "memory" && inner % 8 === 0 && aStride % 8 === 0) {
    const groups = foldGroups(Math.ceil(cols / (PAIRS.subgroups * PAIRS.cols)), groupLimit);
    stream.dispatch(PAIRS_KERNEL, {
      tensors: [a, b, b, b, bias ?? b, out],
      params,
      groups,
      constants: { ...constants, WG: PAIRS.subgroups * lanes },
    });
    return;
  }
  const groups = foldGroups(Math.ceil(cols / COLS), groupLimit);
  if (isOctets(problem)) {
    stream.dispatch(OCTET_KERNEL(gpu), { tensors: elementBindings(problem), params, groups, constants });
  } else if (bType >= FIRST_PACKED) {
    stream.dispatch(PACKED_KERNEL(gpu), { tensors: [a, b, b, b, bias ?? b, out], params, groups, constants });
  } else {
    const tensors = quadBindings(problem);
    stream.dispatch(KERNEL, { tensors, params, groups, constants: { ...constants, ...alignmentConstants(problem) } });
  }
}
