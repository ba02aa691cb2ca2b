import type { LowRankPatch } from "../model/patched_weight.ts";
import type { Model } from "../model/model.ts";
import type { SearchResult } from "./target_search.ts";

/** Second moments of MLP keys by layer: C = (1 / tokens) sum k kᵀ, [dMlp, dMlp] row-major. */
export interface MomentSource {
  /** The moment of one layer. */
  get(layer: number): Promise<Float32Array | Float64Array>;
}

/** One closed-form write, with what it was computed from; columns of the formulas are rows here. */
export interface Write {
  /** Layer whose MLP output matrix changes. */
  layer: number;
  /** What the residual was divided by. */
  divisor: number;
  /** Keys K, [u, dMlp]. */
  keys: Float32Array;
  /** Present outputs, [u, dModel]. */
  current: Float32Array;
  /** Wanted minus present outputs before the division, [u, dModel]. */
  residual: Float64Array;
  /** Keys of preserved prompts, [n, dMlp] (ACE chain mode). */
  kept?: Float32Array;
  /** Relative residual of the linear solve. */
  backwardError: number;
  /** Estimate of the condition number of the worse of the systems that were factored. */
  conditionEstimate: number;
  /** What the residual was multiplied by for keys outside the write (ACE chain mode); else 1. */
  gain: number;
  /** The change itself. */
  patch: LowRankPatch;
}

/** Progress of an edit. */
export interface EditProgress {
  /** What is being done. */
  stage: string;
  /** Done so far, of `total`. */
  done: number;
  /** All of it. */
  total: number;
}

/**
 * An edit being computed: later writes must see earlier ones, so writes are laid over the model as they are made and
 * taken away at the end, whatever happens.
 */
export class EditSession implements Disposable {
  /** The model. */
  readonly model: Model;
  /** Second moments of the unedited model. */
  readonly moments: MomentSource;
  /** Writes in order. */
  readonly writes: Write[] = [];
  /** Searches in order. */
  readonly searches: SearchResult[] = [];
  /** Stops the work at the next step. */
  readonly signal: AbortSignal | undefined;
  /** Records vectors and gradients of every search step. */
  readonly trace: boolean;
  readonly #onProgress: (progress: EditProgress) => void;
  readonly #ids: symbol[] = [];

  /** Starts with the model as it is. */
  constructor(model: Model, moments: MomentSource, options: {
    signal?: AbortSignal | undefined;
    trace?: boolean | undefined;
    onProgress?: ((progress: EditProgress) => void) | undefined;
  } = {}) {
    this.model = model;
    this.moments = moments;
    this.signal = options.signal;
    this.trace = options.trace ?? false;
    this.#onProgress = options.onProgress ?? (() => {});
  }

  /**
   * Takes what a search found.
   *
   * @throws {RangeError} If it diverged: its values would make a change of NaN.
   */
  addSearch(found: SearchResult): void {
    const lost = found.steps.find(({ loss }) => !Number.isFinite(loss));
    if (lost) {
      const { step, loss } = lost;
      throw new RangeError(
        `Cannot edit: the loss of search ${this.searches.length + 1} is ${loss} at step ${step + 1}, wanted a finite ` +
          "number. Use a smaller rate (lr) or shorter vectors (clamp)",
      );
    }
    this.searches.push(found);
  }

  /** Lays a write over the model. */
  write(write: Write): void {
    const id = Symbol(`layer ${write.layer}`);
    this.model.patches.add(id, [write.patch]);
    this.#ids.push(id);
    this.writes.push(write);
  }

  /** Reports progress and stops here if asked to. */
  report(stage: string, done: number, total: number): void {
    this.#onProgress({ stage, done, total });
    this.signal?.throwIfAborted();
  }

  /** Takes the writes away from the model; they stay in {@linkcode EditSession.writes}. */
  [Symbol.dispose](): void {
    this.model.patches.remove(...this.#ids.splice(0));
  }
}
