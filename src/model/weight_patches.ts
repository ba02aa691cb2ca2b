import { embedding } from "../../kernels/embedding.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Weights } from "./weights.ts";

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
 * Low-rank changes laid over a model's weights, in the order in which they were added.
 *
 * A changed weight is recomputed from its stored base and the remaining changes, so that removing one leaves the same
 * bits whichever came and went before, and removing all puts the stored tensor itself back.
 */
export class WeightPatches implements Disposable {
  readonly #gpu: Gpu;
  readonly #weights: Weights;
  readonly #bases = new Map<string, Tensor>();
  readonly #applied = new Map<symbol, readonly LowRankPatch[]>();

  /** No changes yet. */
  constructor(gpu: Gpu, weights: Weights) {
    this.#gpu = gpu;
    this.#weights = weights;
  }

  /** Whether the change set `id` is applied. */
  has(id: symbol): boolean {
    return this.#applied.has(id);
  }

  /** Number of applied change sets. */
  get count(): number {
    return this.#applied.size;
  }

  /** Applies a change set after those applied before. @throws {RangeError} If a factor does not fit its weight. */
  add(id: symbol, patches: readonly LowRankPatch[]): void {
    this.check(patches);
    this.#applied.set(id, patches);
    this.#recompute(patches.map((patch) => patch.weight));
  }

  /** Passes changes that fit this model. @throws {RangeError} If a factor does not fit its weight; TypeError if there is none. */
  check(patches: readonly LowRankPatch[]): void {
    for (const patch of patches) this.#check(patch);
  }

  /** Takes a change set away; later ones stay, as if it had never been. */
  remove(id: symbol): void {
    const patches = this.#applied.get(id);
    if (!patches) return;
    this.#applied.delete(id);
    this.#recompute(patches.map((patch) => patch.weight));
  }

  /** Takes every change away. */
  clear(): void {
    const names = [...this.#applied.values()].flat().map((patch) => patch.weight);
    this.#applied.clear();
    this.#recompute(names);
  }

  /** Puts the stored weights back. */
  [Symbol.dispose](): void {
    this.clear();
  }

  #recompute(names: readonly string[]): void {
    for (const name of new Set(names)) {
      const patches = [...this.#applied.values()].flat().filter((patch) => patch.weight === name);
      const base = this.#bases.get(name) ?? this.#weights.get(name);
      if (patches.length === 0) {
        if (this.#bases.delete(name)) this.#weights.swap(name, base).dispose();
        continue;
      }
      const changed = this.#sum(name, base, patches);
      const before = this.#weights.swap(name, changed);
      if (this.#bases.has(name)) before.dispose();
      else this.#bases.set(name, base);
    }
  }

  /** base + sum of left rightᵀ in f32, one after the other. */
  #sum(name: string, base: Tensor, patches: readonly LowRankPatch[]): Tensor {
    const { stream } = this.#gpu;
    const [rows, cols] = base.shape as [number, number];
    // The embedding kernel reads rows of any stored type as f32; reading all rows widens the matrix.
    using all = this.#gpu.upload(Uint32Array.from({ length: rows }, (_, i) => i), [rows], "rows");
    const sum = embedding(stream, { weight: base, ids: all });
    for (const { left, right, rank } of patches) {
      const straight = this.#weights.layout(name) === "out_in";
      const [a, b] = straight ? [left, right] : [right, left];
      using aTensor = this.#gpu.upload(a, [rows, rank], "patch left");
      using bTensor = this.#gpu.upload(b, [cols, rank], "patch right");
      matmulNt(stream, { a: aTensor, b: bTensor }, { out: sum, accumulate: true });
    }
    return sum;
  }

  #check({ weight, left, right, rank }: LowRankPatch): void {
    const shape = this.#weights.get(weight).shape;
    const [out, inner] = this.#weights.layout(weight) === "out_in" ? shape : [...shape].reverse();
    if (left.length !== out! * rank || right.length !== inner! * rank) {
      throw new RangeError(
        `Cannot change "${weight}" [${out}, ${inner}]: found factors of ${left.length} and ${right.length} elements, ` +
          `wanted ${out! * rank} and ${inner! * rank} for rank ${rank}. The change belongs to another model`,
      );
    }
  }
}
