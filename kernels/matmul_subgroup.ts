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
import octetCode from "./matmul_subgroup_octet.wgsl" with { type: "text" };
import code from "./matmul_subgroup.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { defineOctetKernel } from "./octet_kernel.ts";

const KERNEL = defineKernel({
  name: "matmul_subgroup",
  code: link(code),
  buffers: ["read", "read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

const OCTET_KERNEL = defineOctetKernel({
  name: "matmul_subgroup_octet",
  code: octetCode,
  buffers: ["read", "read", "read", "read", "read", "write"],
  params: MATMUL_PARAMS,
});

/** Rows and columns of y that one subgroup makes. */
const BLOCK = { rows: 16, cols: 64 };

/** Whether every row of the operands is whole octets and every row of y whole fours. */
function isOctets({ layout, inner, aStride, cols, yStride, symmetric }: MatmulProblem): boolean {
  return layout === "nt" && !symmetric && inner % 8 === 0 && aStride % 8 === 0 && cols % 4 === 0 && yStride % 4 === 0;
}

/** Records a product with subgroups of 8 lanes, operands shared by broadcast. */
export function dispatchSubgroup(stream: Stream, problem: MatmulProblem, groupLimit?: number): void {
  const blocks = Math.ceil(problem.rows / BLOCK.rows) * Math.ceil(problem.cols / BLOCK.cols);
  const params = matmulParams(problem, BLOCK.rows);
  const groups = foldGroups(blocks, groupLimit);
  const constants = epilogueConstants(problem);
  if (isOctets(problem)) {
    const { a, b, bias, out } = problem;
    stream.dispatch(OCTET_KERNEL(stream.gpu), { tensors: [a, b, b, b, bias ?? b, out], params, groups, constants });
    return;
  }
  stream.dispatch(KERNEL, {
    tensors: quadBindings(problem),
    params,
    groups,
    constants: { ...constants, ...layoutConstants(problem), ...alignmentConstants(problem) },
  });
}
