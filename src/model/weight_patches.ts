import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { checkPatch, type LowRankPatch, patchedWeight } from "./patched_weight.ts";
import type { Weights } from "./weights.ts";

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
    for (const patch of patches) {
      checkPatch(patch, this.#weights.get(patch.weight).shape, this.#weights.layout(patch.weight));
    }
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
      const changed = patchedWeight(this.#gpu, base, this.#weights.layout(name), patches);
      const before = this.#weights.swap(name, changed);
      if (this.#bases.has(name)) before.dispose();
      else this.#bases.set(name, base);
    }
  }
}
