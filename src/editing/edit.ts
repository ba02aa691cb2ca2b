import type { Model } from "../model/model.ts";
import type { LowRankPatch } from "../model/patched_weight.ts";
import type { EditRequest } from "./requests.ts";

/** Everything that an edit was made from, so that it can be repeated and judged. */
export interface EditRecord {
  /** Method: `ace`, `pmet` or `memit`. */
  method: string;
  /** Mode of ACE: `chain` (ours) or `paper` (published); null for others. */
  mode: string | null;
  /** SHA-256 of the weights that it belongs to. */
  modelHash: string;
  /** Family and sizes of the model, for messages. */
  model: string;
  /** Edited facts. */
  requests: readonly EditRequest[];
  /** Seed of everything random. */
  seed: number;
  /** Layers with the reason for each choice. */
  plan: unknown;
  /** Numbers of the method. */
  hyperparameters: Readonly<Record<string, unknown>>;
  /** Context templates (PMET, MEMIT, paper mode). */
  contexts: readonly (readonly string[])[];
  /** Support and preserved prompts (chain mode). */
  support: readonly unknown[];
  /** Evaluations and end of each search. */
  searches: readonly SearchSummary[];
  /** How exactly each write solves its least squares, in order; absent in patch files from before it was recorded. */
  solves?: readonly SolveSummary[];
  /** What should make a reader doubt the edit. */
  warnings: readonly string[];
}

/** How a search went. */
export interface SearchSummary {
  /** Evaluations. */
  evaluations: number;
  /** Negative log-probability before. */
  firstNll: number;
  /** Negative log-probability at the end. */
  lastNll: number;
  /** Negative log-probability at every evaluation. */
  nll: readonly number[];
}

/** How a linear system of a write was solved. */
export interface SolveSummary {
  /** Written layer. */
  layer: number;
  /** Normwise backward error of the change in the full system; f64 rounding is 1e-16. */
  backwardError: number;
  /** Estimate of the condition number of the worse of the systems that were factored. */
  conditionEstimate: number;
  /** Factor that lengthened the change for heads outside the support (chain mode); absent in older patch files. */
  gain?: number;
}

/** Size of a change. */
export interface EditNorm {
  /** Changed layer. */
  layer: number;
  /** Frobenius norm of the change. */
  change: number;
  /** Frobenius norm of the change over that of the weight; infinite where the weight is zero. */
  relative: number;
}

/**
 * A computed edit: a value that can be applied, taken back, saved and loaded.
 *
 * Several edits stack in the order in which they are applied and can be reverted in any order; after the last revert
 * every weight has its stored bits again.
 */
export class Edit implements Disposable {
  /** What it was made from. */
  readonly record: EditRecord;
  /** Low-rank changes, one a written layer. */
  readonly patches: readonly LowRankPatch[];
  readonly #model: Model;
  readonly #norms: readonly EditNorm[];
  readonly #id: symbol;

  /** Wraps computed changes. */
  constructor(model: Model, record: EditRecord, patches: readonly LowRankPatch[], norms: readonly EditNorm[]) {
    this.#model = model;
    this.record = record;
    this.patches = patches;
    this.#norms = norms;
    this.#id = Symbol(`${record.method} edit`);
  }

  /** Whether it is applied now. */
  get applied(): boolean {
    return this.#model.patches.has(this.#id);
  }

  /** Lays the change over the model's weights, after edits applied before. @throws {TypeError} If it is applied already. */
  apply(): void {
    if (this.applied) throw new TypeError("Cannot apply the edit: it is applied already. Revert it first");
    this.#model.patches.add(this.#id, this.patches);
  }

  /** Takes the change away; other applied edits stay. @throws {TypeError} If it is not applied. */
  revert(): void {
    if (!this.applied) throw new TypeError("Cannot revert the edit: it is not applied");
    this.#model.patches.remove(this.#id);
  }

  /** Size of the change in every written layer. */
  norms(): readonly EditNorm[] {
    return this.#norms;
  }

  /** Reverts the edit if it is applied. */
  [Symbol.dispose](): void {
    if (this.applied) this.revert();
  }
}
