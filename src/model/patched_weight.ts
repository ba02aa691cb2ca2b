import { matmulNt } from "../../kernels/matmul_nt.ts";
import { widen } from "../../kernels/widen.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { WeightLayout } from "./architectures.ts";

/** A low-rank change of one weight in column form: W + left rightᵀ, W [out, in]. */
export interface LowRankPatch {
  /** TransformerLens name of the weight: `blocks.3.mlp.W_out`. */
  weight: string;
  /** [out, rank] row-major. */
  left: Float32Array;
  /** [in, rank] row-major. */
  right: Float32Array;
  /** Number of columns of `left` and `right`. */
  rank: number;
}

/**
 * Computes a changed weight: base + sum of left rightᵀ in f32, one after the other.
 *
 * @param base Stored weight [rows, cols] in any type that kernels read.
 * @param layout How it lies.
 * @param patches Changes of this weight, in their order.
 * @returns [rows, cols] f32; the caller's.
 */
export function patchedWeight(
  gpu: Gpu,
  base: Tensor,
  layout: WeightLayout,
  patches: readonly LowRankPatch[],
): Tensor {
  const { stream } = gpu;
  const [rows, cols] = base.shape as [number, number];
  using made = new DisposableStack();
  const sum = made.use(widen(stream, { weight: base }));
  for (const { left, right, rank } of patches) {
    const [a, b] = layout === "out_in" ? [left, right] : [right, left];
    using aTensor = gpu.upload(a, [rows, rank], "patch left");
    using bTensor = gpu.upload(b, [cols, rank], "patch right");
    matmulNt(stream, { a: aTensor, b: bTensor }, { out: sum, accumulate: true });
  }
  made.move();
  return sum;
}

/**
 * Passes a change that fits its weight.
 *
 * @param shape Stored shape of the weight.
 * @param layout How it lies.
 * @throws {RangeError} If a factor does not fit.
 */
export function checkPatch(
  { weight, left, right, rank }: LowRankPatch,
  shape: readonly number[],
  layout: WeightLayout,
): void {
  const [out, inner] = layout === "out_in" ? shape : [...shape].reverse();
  if (left.length !== out! * rank || right.length !== inner! * rank) {
    throw new RangeError(
      `Cannot change "${weight}" [${out}, ${inner}]: found factors of ${left.length} and ${right.length} elements, ` +
        `wanted ${out! * rank} and ${inner! * rank} for rank ${rank}. The change belongs to another model`,
    );
  }
}
