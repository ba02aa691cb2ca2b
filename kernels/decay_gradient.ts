import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./decay_gradient.wgsl" with { type: "text" };

const WG = 64;

const kernel = defineKernel({
  name: "decay_gradient",
  code,
  buffers: ["read", "read", "read", "write"],
  params: { count: "u32", width: "u32" },
});

/** Operands of {@linkcode decayGradient}. */
export interface DecayGradientInput {
  /** Vectors, [rows, width] f32. */
  x: Tensor;
  /** Their lengths, [rows] f32. */
  norms: Tensor;
  /** Factor of each length in the loss, [rows] f32. */
  decay: Tensor;
  /** Gradient of the rest of the loss, [rows, width] f32; changed. */
  gradient: Tensor;
}

/** Options of {@linkcode decayGradient}. */
export interface DecayGradientOptions {
  /** Workgroups that fit one dimension; smaller in tests. */
  groupLimit?: number;
}

/**
 * Encodes `gradient += decay x / |x|` row by row: the gradient of a penalty on lengths, taken as 0 at x = 0.
 *
 * @throws {RangeError} If the shapes do not fit together.
 */
export function decayGradient(stream: Stream, input: DecayGradientInput, options: DecayGradientOptions = {}): void {
  const { x, norms, decay, gradient } = input;
  const width = x.shape.at(-1) ?? 1;
  const rows = width === 0 ? 0 : x.length / width;
  if (norms.length !== rows || decay.length !== rows || gradient.length !== x.length) {
    throw new RangeError(
      `Cannot add the decay of x ${formatShape(x.shape)} to a gradient ${formatShape(gradient.shape)}: ` +
        `wanted the same shape and ${rows} norms and factors, got ${norms.length} and ${decay.length}`,
    );
  }
  stream.dispatch(kernel, {
    tensors: [x, norms, decay, gradient],
    params: { count: x.length, width },
    groups: foldGroups(Math.ceil(x.length / WG), options.groupLimit),
  });
}
