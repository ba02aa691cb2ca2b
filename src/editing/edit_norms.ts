import { decodeFloats } from "../checkpoint/half.ts";
import type { Model } from "../model/model.ts";
import type { LowRankPatch } from "../model/patched_weight.ts";
import { layerOfHook } from "../model/capture.ts";
import type { EditNorm } from "./edit.ts";

/** Gram matrix of the columns of a factor [rows, rank]: [rank, rank]. */
function gram(factor: Float32Array, rank: number): Float64Array {
  const out = new Float64Array(rank * rank);
  for (let row = 0; row < factor.length / rank; row++) {
    for (let i = 0; i < rank; i++) {
      const x = factor[row * rank + i]!;
      for (let j = 0; j < rank; j++) out[i * rank + j]! += x * factor[row * rank + j]!;
    }
  }
  return out;
}

/** Frobenius norm of left rightᵀ without forming it: sqrt(trace((leftᵀ left)(rightᵀ right))). */
export function patchNorm({ left, right, rank }: LowRankPatch): number {
  const a = gram(left, rank);
  const b = gram(right, rank);
  return Math.sqrt(Math.max(0, a.reduce((sum, x, i) => sum + x * b[i]!, 0)));
}

/** Norms of changes, absolute and relative to the weights that are in the model now. */
export async function measurePatches(model: Model, patches: readonly LowRankPatch[]): Promise<EditNorm[]> {
  const weights = patches.map((patch) => model.weights.get(patch.weight));
  const arrays = await model.gpu.stream.read(...weights);
  return patches.map((patch, i) => {
    const { dtype, length } = weights[i]!;
    const words = arrays[i]!;
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    const stored = ({ f32: "F32", f16: "F16", bf16: "BF16", u32: "F32" } as const)[dtype];
    let squares = 0;
    for (const x of decodeFloats(stored, bytes).subarray(0, length)) squares += x * x;
    const size = Math.sqrt(squares);
    const change = patchNorm(patch);
    return { layer: layerOfHook(patch.weight), change, relative: change / size };
  });
}
