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
  #applied: ReadonlyMap<symbol, readonly LowRankPatch[]> = new Map();

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

  /**
   * Applies a change set after those applied before.
   *
   * @throws {RangeError} If a factor does not fit its weight; {GpuMemoryError} if memory does not suffice. Either way all
   * weights stay as they were.
   */
  add(id: symbol, patches: readonly LowRankPatch[]): void {
    this.check(patches);
    this.#become(new Map([...this.#applied, [id, patches]]), patches);
  }

  /** Passes changes that fit this model. @throws {RangeError} If a factor does not fit its weight; TypeError if there is none. */
  check(patches: readonly LowRankPatch[]): void {
    for (const patch of patches) {
      checkPatch(patch, this.#weights.get(patch.weight).shape, this.#weights.layout(patch.weight));
    }
  }

  /**
   * Takes change sets away; others stay, as if these had never been.
   *
   * @throws {GpuMemoryError} If memory does not suffice to lay the others anew; all weights stay as they were.
   */
  remove(...ids: readonly symbol[]): void {
    const rest = new Map(this.#applied);
    const gone = ids.flatMap((id) => rest.get(id) ?? []);
    for (const id of ids) rest.delete(id);
    this.#become(rest, gone);
  }

  /** Takes every change away. */
  clear(): void {
    this.remove(...this.#applied.keys());
  }

  /** Puts the stored weights back. */
  [Symbol.dispose](): void {
    this.clear();
  }

  /** Lays `applied` over the weights of `touched`: all of them are made before the first is put in its place. */
  #become(applied: ReadonlyMap<symbol, readonly LowRankPatch[]>, touched: readonly LowRankPatch[]): void {
    using made = new DisposableStack();
    const next = [...new Set(touched.map(({ weight }) => weight))].map((name) => {
      const patches = [...applied.values()].flat().filter((patch) => patch.weight === name);
      const base = this.#bases.get(name) ?? this.#weights.get(name);
      const layout = this.#weights.layout(name);
      return {
        name,
        base,
        tensor: patches.length === 0 ? base : made.use(patchedWeight(this.#gpu, base, layout, patches)),
      };
    });
    made.move();
    for (const { name, base, tensor } of next) {
      const before = this.#weights.swap(name, tensor);
      if (before !== base) before.dispose();
      if (tensor === base) this.#bases.delete(name);
      else this.#bases.set(name, base);
    }
    this.#applied = applied;
  }
}
