/**
 * The search for target values: one or more vectors, added to a layer's output at chosen positions, that make the model
 * give the wanted tokens (MEMIT's z*, PMET's joint search, ACE's vectors per target position).
 *
 * Only the causal cone is computed: rows from the first changed position on, blocks above the changed layer; keys and
 * values of earlier positions are kept from one full pass. Forward, backward, Adam, projection and stop test run on the
 * GPU, one submit a step; the log is read every few steps.
 *
 * @module
 */
import { adamProject } from "../../kernels/adam_project.ts";
import { decayGradient } from "../../kernels/decay_gradient.ts";
import { rowNorms } from "../../kernels/row_norms.ts";
import { searchStep } from "../../kernels/search_step.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { Temps } from "../model/hooks.ts";
import type { Model } from "../model/model.ts";
import { SearchCone } from "./search_cone.ts";
import { readSearchLog, type SearchStep } from "./search_log.ts";

/** What a vector is added to: the output of a whole block, of its MLP, or of its attention. */
export type SearchSite = "block" | "mlp" | "attn";

/** One prompt of a search. */
export interface SearchRow {
  /** Prompt and all target tokens but the last. */
  ids: readonly number[];
  /** Where vectors are added; `slot` numbers the vectors of a site. */
  edits: readonly { position: number; slot: number }[];
  /** Positions whose prediction is wanted, each with its token and its weight in the loss; empty for a kept row. */
  labels: readonly { position: number; token: number; weight: number }[];
  /** Position whose prediction should stay as it was, weighted by `klFactor`; absent: none. */
  keepAt?: number;
}

/** Numbers of a search that methods choose. */
export interface SearchNumbers {
  /** Most evaluations; the last is followed by no update. */
  steps: number;
  /** Adam's rate. */
  lr: number;
  /** Longest vector, as a multiple of the unchanged output's length. */
  clamp: number;
  /** Factor of each vector's length over the squared length of the unchanged output. */
  weightDecay: number;
  /** Factor of the divergence at kept positions. */
  klFactor: number;
  /** Factor of the negative log-probability in the loss. Default: 1. */
  nllFactor?: number;
}

/** What is searched, and when the search ends. */
export interface SearchOptions extends SearchNumbers {
  /** Layer whose output is changed. */
  layer: number;
  /** Searched sites; two are searched jointly. */
  sites: readonly SearchSite[];
  /** Ends the search below this value of ... */
  stopBelow: number;
  /** ... the whole loss or the negative log-probability alone. */
  stopOn: "loss" | "nll";
  /** PMET's switch of the factor once every label is met, with its stop. */
  switchFactor: boolean;
  /** Length that clamp and decay refer to: of the output at the first row's first edit, or the mean over all edits. */
  scale: "first" | "mean";
  /** Records the vectors and gradients of every step. */
  trace?: boolean;
  /** Stops at the next look at the log. */
  signal?: AbortSignal | undefined;
  /** Called at each look at the log. */
  onProgress?: (step: SearchStep, steps: number) => void;
}

/** What a search found. */
export interface SearchResult {
  /** Final vectors by site, [slots, dModel] row-major. */
  delta: Partial<Record<SearchSite, Float32Array>>;
  /** Unchanged outputs by site at every edit, row-major in the order of rows and edits: [edits, dModel]. */
  before: Partial<Record<SearchSite, Float32Array>>;
  /** Every evaluation. */
  steps: SearchStep[];
  /** Vectors of every evaluation, [steps, sites * slots, dModel]; with `trace`. */
  trajectory?: Float32Array;
  /** Gradients of every update, same layout; with `trace`. */
  gradients?: Float32Array;
}

/** Steps between looks at the log: a look costs about as much as a few steps of a small model. */
const LOOK_EVERY = 6;

/**
 * Runs a search.
 *
 * @throws {RangeError} If a row is longer than the context, or a vector cannot reach any label: with the model's last
 * layer, only an edit at a label's own position changes its prediction.
 */
export async function searchTargets(
  model: Model,
  rows: readonly SearchRow[],
  options: SearchOptions,
): Promise<SearchResult> {
  checkReach(model, rows, options);
  const { gpu } = model;
  const { stream } = gpu;
  const slots = 1 + Math.max(...rows.flatMap((row) => row.edits.map((edit) => edit.slot)));
  const vectors = slots * options.sites.length;
  const width = model.config.dModel;
  using cone = await SearchCone.open(model, rows, options);
  using temps = new Temps();
  const zeros = (shape: number[], label: string, dtype: "f32" | "u32" = "f32"): Tensor =>
    temps.add(gpu.zeros(shape, label, dtype));

  const lengths = cone.lengths();
  const limit = temps.add(gpu.upload(repeat(lengths.map((n) => options.clamp * n), slots), [vectors], "search limit"));
  const decay = temps.add(
    gpu.upload(repeat(lengths.map((n) => options.weightDecay / n ** 2), slots), [vectors], "search decay"),
  );
  const delta = zeros([vectors, width], "search delta");
  const m = zeros([vectors, width], "search m");
  const v = zeros([vectors, width], "search v");
  const state = zeros([4], "search state", "u32");
  const labels = cone.labelCount;
  const log = zeros([options.steps, 8 + labels + vectors], "search log");
  const scaled = zeros([labels + cone.klRows], "search weights");
  const trajectory = options.trace ? zeros([options.steps, vectors, width], "search trajectory") : null;
  const gradients = options.trace ? zeros([options.steps, vectors, width], "search gradients") : null;

  let steps: SearchStep[] = [];
  let found = new Float32Array();
  for (let step = 0; step < options.steps; step++) {
    using norms = rowNorms(stream, { x: delta });
    using forward = cone.forward(delta);
    if (trajectory) stream.copy(delta, trajectory, { to: step * vectors * width });
    const { target, weight } = cone;
    const { logProb, argmax, kl } = forward;
    searchStep(stream, { logProb, argmax, target, weight, kl, norms, decay, state, log, scaled }, {
      step,
      steps: options.steps,
      klRows: cone.klRows,
      klFactor: options.klFactor,
      ...(options.nllFactor === undefined ? {} : { baseFactor: options.nllFactor }),
      stopBelow: options.stopBelow,
      stopOn: options.stopOn,
      switchFactor: options.switchFactor,
    });
    using gradient = cone.backward(forward, scaled);
    decayGradient(stream, { x: delta, norms, decay, gradient });
    if (gradients) stream.copy(gradient, gradients, { to: step * vectors * width });
    adamProject(stream, { x: delta, gradient, m, v, limit, state }, {
      lr: options.lr,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      step: step + 1,
    });
    stream.submit();
    const last = step === options.steps - 1;
    if ((step + 1) % LOOK_EVERY !== 0 && !last) continue;
    // The search ends at a look, so the vectors that come with the last one are the final ones.
    const [words, lines, vectorsNow] = await stream.read(state, log, delta);
    found = vectorsNow as Float32Array<ArrayBuffer>;
    steps = readSearchLog(lines as Float32Array, words![1]!, cone.labelsOfRow, vectors);
    options.onProgress?.(steps.at(-1)!, options.steps);
    if (words![0] !== 0) break;
    options.signal?.throwIfAborted();
  }
  const traced = [trajectory, gradients].filter((t) => t !== null);
  const traces = traced.length > 0 ? await stream.read(...traced) as Float32Array[] : [];
  const bySite = (values: Float32Array): Partial<Record<SearchSite, Float32Array>> =>
    Object.fromEntries(
      options.sites.map((site, s) => [site, values.slice(s * slots * width, (s + 1) * slots * width)]),
    );
  return {
    delta: bySite(found),
    before: cone.before,
    steps,
    ...(options.trace ? { trajectory: traces[0]!, gradients: traces[1]! } : {}),
  };
}

function repeat(perSite: readonly number[], slots: number): Float32Array {
  return Float32Array.from(perSite.flatMap((value) => new Array<number>(slots).fill(value)));
}

/** Whether a change after `layer` reaches a label: after the last layer nothing reads positions but their own. */
export function reachesLabel(rows: readonly SearchRow[], layer: number, nLayers: number): boolean {
  return layer < nLayers - 1 ||
    rows.some((row) => row.labels.some((l) => row.edits.some((e) => e.position === l.position)));
}

function checkReach(model: Model, rows: readonly SearchRow[], { layer }: SearchOptions): void {
  const { nLayers } = model.config;
  for (const { ids } of rows) model.checkTokens(ids, model.tokenizer.decode(ids));
  if (!Number.isInteger(layer) || layer < 0 || layer >= nLayers) {
    throw new RangeError(`Cannot search at layer ${layer}: the model has layers 0 to ${nLayers - 1}`);
  }
  if (!reachesLabel(rows, layer, nLayers)) {
    throw new RangeError(
      `Cannot search at layer ${layer}, the last: no attention follows, so a vector at the edited token does not reach ` +
        `the prediction at another. Choose an earlier layer or the last token of the prompt`,
    );
  }
}
