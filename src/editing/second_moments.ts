/**
 * Second moments of MLP keys over a corpus: what the closed forms preserve (Meng et al. 2022,
 * "Locating and editing factual associations in GPT", section 3.1).
 *
 * @module
 */
import { gatherRows } from "../../kernels/gather_rows.ts";
import { rankK } from "../../kernels/rank_k.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { layerOfHook, modelBatches } from "../model/capture.ts";
import { residual } from "../model/forward.ts";
import { Taps, Temps } from "../model/hooks.ts";
import type { Model } from "../model/model.ts";
import { checkEditMemory, momentMemory } from "./edit_memory.ts";
import { MOMENT_GROUP, momentDocuments, MomentsFile } from "./moments_file.ts";
import type { MomentSource } from "./session.ts";

/** What second moments are computed over. */
export interface MomentsOptions {
  /** Documents, each run as one sequence cut at the context length. */
  documents: readonly string[];
  /** Layers wanted. */
  layers: readonly number[];
  /** Folder for results, which are reused and resumed; absent: nothing is stored. */
  cacheDir?: string;
  /** Called with documents done and in all. */
  onProgress?: (done: number, total: number) => void;
  /** Stops after the present group of documents; what is done is kept in `cacheDir`. */
  signal?: AbortSignal | undefined;
}

/** Second moments of some layers, C = (1 / tokens) sum k kᵀ, [dMlp, dMlp] f64 row-major, every token counted. */
export class SecondMoments implements MomentSource {
  /** Tokens counted. */
  readonly tokens: number;
  /** Hash of the weights of the model they belong to. */
  readonly modelHash: string;
  readonly #sums: ReadonlyMap<number, Float64Array>;

  /** Wraps sums of k kᵀ. */
  constructor(modelHash: string, tokens: number, sums: ReadonlyMap<number, Float64Array>) {
    this.modelHash = modelHash;
    this.tokens = tokens;
    this.#sums = sums;
  }

  /** Layers that were counted. */
  get layers(): number[] {
    return [...this.#sums.keys()];
  }

  /** C of a layer. @throws {RangeError} If the layer was not counted. */
  get(layer: number): Promise<Float64Array> {
    const sum = this.#sums.get(layer);
    if (!sum) {
      return Promise.reject(
        new RangeError(`Cannot give second moments of layer ${layer}: found layers ${this.layers.join(", ")} only`),
      );
    }
    return Promise.resolve(sum.map((x) => x / this.tokens));
  }

  /**
   * Computes the moments of a model, or takes them from the cache, or resumes where a stopped run left off.
   *
   * @throws {RangeError} If there is no document, or the GPU does not hold the sums beside the model; {TypeError} If
   * something is left to compute while edits are applied: moments belong to the unedited model.
   */
  static async compute(model: Model, options: MomentsOptions): Promise<SecondMoments> {
    if (options.documents.length === 0) {
      throw new RangeError("Cannot compute second moments: found no document, wanted some text of the model's domain");
    }
    const documents = momentDocuments(model, options.documents);
    const layers = [...new Set(options.layers)].sort((a, b) => a - b);
    const file = options.cacheDir === undefined ? null : new MomentsFile(options.cacheDir, model, documents);
    const stored = await file?.read(layers);
    const missing = layers.filter((layer) => (stored?.get(layer)?.documents ?? 0) < documents.length);
    // What is stored is of the unedited model, so that an edit over another one may take it.
    if (missing.length > 0 && model.patches.count > 0) {
      throw new TypeError(
        `Cannot compute second moments of layer ${missing.join(", ")} while an edit is applied: revert it first, or ` +
          "count them before with `deno task moments` and name their folder (`momentsCache`, or --moments-cache DIR)",
      );
    }
    const sums = new Map<number, Float64Array>();
    for (const layer of layers) {
      sums.set(layer, stored?.get(layer)?.sum ?? new Float64Array(model.config.dMlp ** 2));
    }
    // Layers may have stopped at different documents; they are taken up again from the earliest.
    const groups = new Map<number, number[]>();
    for (const layer of missing) {
      const from = stored?.get(layer)?.documents ?? 0;
      groups.set(from, [...(groups.get(from) ?? []), layer]);
    }
    for (const [from, wanted] of groups) {
      checkEditMemory(model.gpu, momentMemory(model, wanted.length, documents.slice(from).map((ids) => ids.length)));
    }
    for (const [from, wanted] of groups) {
      for (let at = from; at < documents.length; at += MOMENT_GROUP) {
        options.signal?.throwIfAborted();
        const part = documents.slice(at, at + MOMENT_GROUP);
        const added = await sumsOf(model, part, wanted);
        wanted.forEach((layer, i) => {
          const sum = sums.get(layer)!;
          const more = added[i]!;
          for (let j = 0; j < sum.length; j++) sum[j]! += more[j]!;
        });
        const done = Math.min(documents.length, at + MOMENT_GROUP);
        for (const layer of wanted) await file?.write(layer, { documents: done, sum: sums.get(layer)! });
        options.onProgress?.(done, documents.length);
      }
    }
    return new SecondMoments(model.hash, documents.reduce((n, ids) => n + ids.length, 0), sums);
  }
}

/** Sums of k kᵀ over some documents, one wait. */
async function sumsOf(
  model: Model,
  documents: readonly number[][],
  layers: readonly number[],
): Promise<Float32Array[]> {
  const { stream } = model.gpu;
  const { dMlp } = model.config;
  using temps = new Temps();
  const totals: Tensor[] = layers.map(() => temps.add(model.gpu.zeros([dMlp, dMlp], "second moment")));
  const hooks = layers.map((layer) => `blocks.${layer}.mlp.hook_post`);
  const deepest = Math.max(...hooks.map(layerOfHook));
  for (const batch of modelBatches(model, documents.map((ids) => ids.length))) {
    const ids = batch.map((i) => documents[i]!);
    using inner = new Temps();
    using rows = model.rowsFor(ids);
    using input = model.uploadIds(ids, rows.queries);
    // Padding rows are not tokens: only real positions are gathered.
    using real = model.uploadIndex(ids.flatMap((list, b) => list.map((_, t) => b * rows.queries + t)), "real rows");
    using taps = new Taps(stream, { keep: hooks });
    inner.add(residual(model.pass(rows, { taps }), input, deepest + 1));
    const kept = taps.finish();
    layers.forEach((_, i) => {
      const { tensor } = kept.get(hooks[i]!)!;
      const flat = tensor.view([rows.batch * rows.queries, dMlp]);
      rankK(stream, { x: inner.add(gatherRows(stream, { x: flat, index: real })), into: totals[i]! });
    });
    stream.submit();
  }
  return await stream.read(...totals) as Float32Array[];
}
