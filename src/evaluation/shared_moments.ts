import { SecondMoments } from "../editing/second_moments.ts";
import type { MomentSource } from "../editing/session.ts";
import type { Model } from "../model/model.ts";

/** How {@linkcode SharedMoments} computes. */
export interface SharedMomentsOptions {
  /** Documents that the moments are taken over. */
  readonly documents: readonly string[];
  /** Folder for results, which are reused and resumed; absent: nothing is stored. */
  readonly cacheDir?: string;
  /** Called with documents done and in all, anew for each set of missing layers. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops after the present group of documents. */
  readonly signal?: AbortSignal | undefined;
}

/** Second moments of one model that many edits share: each layer is computed once, when a plan first names it. */
export class SharedMoments implements MomentSource {
  /** SHA-256 of the weights that the moments belong to. */
  readonly modelHash: string;
  readonly #model: Model;
  readonly #options: SharedMomentsOptions;
  readonly #layers = new Map<number, Float64Array>();

  /** Starts without any layer. */
  constructor(model: Model, options: SharedMomentsOptions) {
    this.modelHash = model.hash;
    this.#model = model;
    this.#options = options;
  }

  /**
   * Computes the layers that are not there yet.
   *
   * @param layers Layers wanted.
   * @throws {TypeError} If a layer is missing while an edit is applied: moments belong to the unedited model.
   */
  async ensure(layers: readonly number[]): Promise<void> {
    const missing = layers.filter((layer) => !this.#layers.has(layer));
    if (missing.length === 0) return;
    const found = await SecondMoments.compute(this.#model, { ...this.#options, layers: missing });
    for (const layer of found.layers) this.#layers.set(layer, await found.get(layer));
  }

  /**
   * Gives C of a layer, [dMlp, dMlp] f64 row-major.
   *
   * @param layer Layer that {@linkcode SharedMoments.ensure} was asked for.
   * @throws {RangeError} If it was not.
   */
  get(layer: number): Promise<Float64Array> {
    const found = this.#layers.get(layer);
    if (found) return Promise.resolve(found);
    return Promise.reject(
      new RangeError(
        `Cannot give second moments of layer ${layer}: found layers ${
          [...this.#layers.keys()].join(", ") || "none"
        }, ` +
          `call ensure([${layer}]) first`,
      ),
    );
  }
}
