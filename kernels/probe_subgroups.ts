import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_subgroups.wgsl" with { type: "text" };

const KERNEL = defineKernel({ name: "probe_subgroups", code, buffers: ["write"], params: {} });

/** Options of {@linkcode probeSubgroups}. */
export interface ProbeSubgroupsOptions {
  /** Invocations of the workgroup. Default: 64. */
  invocations?: number;
}

/**
 * Lets each invocation of a workgroup tell its lane, the size of its subgroup, a sum over it and a value of its lane 3.
 *
 * The device must have the feature `subgroups`, or the shader does not compile.
 *
 * @returns u32 [invocations, 4].
 */
export function probeSubgroups(stream: Stream, options: ProbeSubgroupsOptions = {}): Tensor {
  const { invocations = 64 } = options;
  const out = stream.gpu.tensor([invocations, 4], "subgroup probe", "u32");
  stream.dispatch(KERNEL, { tensors: [out], groups: [1, 1, 1], constants: { WG: invocations } });
  return out;
}
