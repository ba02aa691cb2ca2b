import { defineKernel } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./probe_df64.wgsl" with { type: "text" };
import { checkShape, rowSizes } from "./rows.ts";

const KERNEL = defineKernel({
  name: "probe_df64",
  code,
  buffers: ["read", "read", "write"],
  params: { rows: "u32", terms: "u32", zero: "u32" },
});

/** Options of {@linkcode probeDf64}. */
export interface ProbeDf64Options {
  /** Whether rounded intermediates are hidden from the compiler. Without, it may simplify error terms to zero. */
  barrier: boolean;
}

/**
 * Sums, products and dot products as pairs of f32 whose sum has about 48 bits.
 *
 * @param input `a` and `b`, [rows, terms] f32 with at least one term.
 * @returns [rows, 6] f32: `a[0] + b[0]` and its rounding error, `a[0] * b[0]` and its rounding error, the dot product and
 * what is missing.
 * @throws {RangeError} If the shapes differ.
 * @throws {TypeError} If an operand is not f32.
 */
export function probeDf64(stream: Stream, input: { a: Tensor; b: Tensor }, options: ProbeDf64Options): Tensor {
  const action = "prove pairs of f32";
  const { rows, width: terms } = rowSizes(action, "a", input.a);
  checkShape(action, "b", input.b, input.a.shape);
  const out = stream.gpu.tensor([rows, 6], "df64 probe");
  stream.dispatch(KERNEL, {
    tensors: [input.a, input.b, out],
    params: { rows, terms, zero: 0 },
    groups: [Math.ceil(rows / 64), 1, 1],
    constants: { BARRIER: options.barrier ? 1 : 0 },
  });
  return out;
}
