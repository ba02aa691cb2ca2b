import { widen } from "../../kernels/widen.ts";
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
  const { stream } = model.gpu;
  const found: EditNorm[] = [];
  for (const patch of patches) {
    using values = widen(stream, { weight: model.weights.get(patch.weight) });
    const [weight] = await stream.read(values);
    let squares = 0;
    for (const x of weight!) squares += x * x;
    const change = patchNorm(patch);
    found.push({ layer: layerOfHook(patch.weight), change, relative: change / Math.sqrt(squares) });
  }
  return found;
}
