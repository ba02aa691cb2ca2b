import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./adam_project.wgsl" with { type: "text" };
import { link } from "./link.ts";
import type { ReductionOptions } from "./filled_rows.ts";
import { checkDistinct, checkLength, rowSizes, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "adam_project",
  code: link(code),
  buffers: ["write", "read", "write", "write", "read", "read"],
  params: {
    rows: "u32",
    width: "u32",
    lr: "f32",
    beta1: "f32",
    beta2: "f32",
    fresh1: "f32",
    fresh2: "f32",
    correction1: "f32",
    correction2: "f32",
    epsilon: "f32",
  },
});

/** Operands of {@linkcode adamProject}. */
export interface AdamProjectInput {
  /** Vectors that are optimised, [..., width] f32; changed. */
  x: Tensor;
  /** Gradient of the loss by `x`, as many elements, f32. */
  gradient: Tensor;
  /** Running mean of the gradient, zeros at first, as many elements, f32; changed. */
  m: Tensor;
  /** Running mean of its square, zeros at first, as many elements, f32; changed. */
  v: Tensor;
  /** Largest norm of each row, [rows] f32. */
  limit: Tensor;
  /** Where the first of the four words is not 0, nothing changes, [4] u32. */
  state: Tensor;
}

/** Options of {@linkcode adamProject}. */
export interface AdamProjectOptions extends ReductionOptions {
  /** Learning rate. */
  lr: number;
  /** Decay of the mean of gradients. */
  beta1: number;
  /** Decay of the mean of squares. */
  beta2: number;
  /** Added to the root of the mean of squares. */
  epsilon: number;
  /** Number of this step, from 1. */
  step: number;
}

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1, no weight decay), after which each row that is longer than its
 * limit is scaled back to it; the running means are not scaled.
 *
 * @throws {RangeError} If the operands do not fit `x`, or `step` is no integer from 1 up.
 * @throws {TypeError} If an operand has the wrong dtype or one tensor is given twice.
 */
export function adamProject(stream: Stream, input: AdamProjectInput, options: AdamProjectOptions): void {
  const { x, gradient, m, v, limit, state } = input;
  const { lr, beta1, beta2, epsilon, step } = options;
  const action = "take an Adam step";
  if (!Number.isInteger(step) || step < 1) {
    throw new RangeError(`Cannot ${action}: step must be an integer from 1 up, got ${step}`);
  }
  const { rows, width } = rowSizes(action, "x", x);
  for (const [name, tensor] of Object.entries({ gradient, m, v })) checkLength(action, name, tensor, x.length);
  checkLength(action, "limit", limit, rows);
  checkLength(action, "state", state, 4, "u32");
  checkDistinct(action, "x", x, [gradient, m, v, limit]);
  checkDistinct(action, "m", m, [gradient, v, limit]);
  checkDistinct(action, "v", v, [gradient, limit]);
  stream.dispatch(KERNEL, {
    tensors: [x, gradient, m, v, limit, state],
    params: {
      rows,
      width,
      lr,
      beta1,
      beta2,
      fresh1: 1 - beta1,
      fresh2: 1 - beta2,
      correction1: 1 - beta1 ** step,
      correction2: 1 - beta2 ** step,
      epsilon,
    },
    groups: foldGroups(rows, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
}
