import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_multiply_add.wgsl" with { type: "text" };
import { checkDtype, type OutputOptions, outputTensor } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_multiply_add",
  code,
  buffers: ["read", "write"],
  params: { threads: "u32", rounds: "u32", factor: "f32", summand: "f32" },
});

/** Threads of a workgroup. */
const THREADS = 64;

/** Floating-point operations of a thread in one round: 12 chains, 16 steps, a multiplication and an addition each. */
export const OPERATIONS_PER_ROUND = 12 * 16 * 2;

/** Options of {@linkcode probeMultiplyAdd}. */
export interface ProbeMultiplyAddOptions extends OutputOptions {
  /** Rounds of 16 steps on 12 chains. */
  rounds: number;
  /** What a chain is multiplied by in a step. */
  factor: number;
  /** What is added then. */
  summand: number;
}

/**
 * Runs independent chains of multiply-adds, one thread an element: the arithmetic peak of the device.
 *
 * @param input `start` [threads] f32, where the chains of a thread start: `start`, `start + 1`, ... `start + 11`.
 * @returns Sum of the 12 chains of each thread, [threads] f32.
 * @throws {TypeError} If `start` is not f32 or `out` is `start`.
 */
export function probeMultiplyAdd(stream: Stream, input: { start: Tensor }, options: ProbeMultiplyAddOptions): Tensor {
  const action = "measure multiply-adds";
  checkDtype(action, "start", input.start, "f32");
  const threads = input.start.length;
  const out = outputTensor(stream, action, [threads], [input.start], { ...options, label: options.label ?? "chains" });
  stream.dispatch(KERNEL, {
    tensors: [input.start, out],
    params: { threads, rounds: options.rounds, factor: options.factor, summand: options.summand },
    groups: foldGroups(Math.ceil(threads / THREADS), options.groupLimit),
    constants: { WG: THREADS },
  });
  return out;
}
