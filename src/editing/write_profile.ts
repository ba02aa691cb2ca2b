import { rivalTokens } from "../attribution/answer_tokens.ts";
import { Captures } from "../attribution/captures.ts";
import { layerContrasts } from "../attribution/contrast.ts";
import { sideBySide } from "../gpu/side_by_side.ts";
import { gram, type Matrix, matrix } from "../linalg/dense.ts";
import { leftOutResiduals } from "../linalg/left_out.ts";
import { captureRows, type PositionsOf } from "../model/capture.ts";
import type { Model } from "../model/model.ts";
import { CHAIN_DEFAULTS } from "./defaults.ts";
import { targetIds } from "./edit_token.ts";
import type { Fact, Facts } from "./facts.ts";
import { asContinuation, fillTemplate } from "./prompt_forms.ts";
import { alternatives } from "./support.ts";
import { type TrialPrompt, writeTrials } from "./write_trials.ts";

/** How well a write at each FFN layer would carry over to prompts that it was not made from. */
export interface WriteProfile {
  /** Layer that chain mode should edit; -1 if no fact was tried. */
  layer: number;
  /** Layer whose attention tells the facts most from others of their relation: there the subject has arrived. */
  arrival: number;
  /**
   * Left-out error of each layer, mean over the facts: the mean square of what left-out heads lack of the change, plus
   * that of what left-out neighbours receive of it. 0 is a write that reaches what it should and no neighbour.
   */
  error: number[];
  /** What facts of other relations about left-out neighbours receive, mean square, of each layer. */
  leak: number[];
  /** Facts that were tried. */
  facts: number;
}

/** Keys of whole prompts that the GPU holds at a time. */
export const CAPTURE_BYTES = 2 ** 28;

/** What stands for the second moments in the metric: this much of the mean diagonal of the neighbours' keys, times I. */
const ISOTROPIC = 0.1;

/**
 * Fits, for a sample of facts and every FFN layer, the change that gives 1 to the fact's prompts and 0 to its
 * neighbours', and measures it where it was not fitted.
 *
 * A layer's keys must tell the chains that lead to a fact from those that do not, and go on doing so for heads that were
 * never seen: only layers after attention has brought the subject of the second hop to the last token are chosen, since
 * what tells heads apart before that is their names. The least squares of chain mode is linear in the wanted change, so
 * this is seen without a search and without second moments: 1 and 0 stand for all of the change and none of it.
 *
 * @param exclude Subjects set aside to judge an edit by.
 * @param captureBytes Keys that the GPU may hold at a time; smaller means more forward passes. Default: 256 MiB.
 * @param signal Stops the work before the next fact, and between forward passes over one.
 * @returns The profile; no facts are tried if none has enough heads and neighbours.
 */
export async function writeProfile(
  model: Model,
  facts: Facts,
  options: { exclude?: readonly string[]; seed?: number; captureBytes?: number; signal?: AbortSignal | undefined } = {},
): Promise<WriteProfile> {
  const { exclude = [], seed = 0, captureBytes = CAPTURE_BYTES, signal } = options;
  const { nLayers } = model.config;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const trials: TrialResult[][] = [];
  const attention = new Array<number>(nLayers).fill(0);
  for await (const { fact, prompts } of writeTrials(facts, { exclude, seed })) {
    signal?.throwIfAborted();
    const sequences = prompts.map(({ prompt }) => model.tokens(prompt)).map((ids) => ({
      ids,
      positions: [ids.length - 1],
    }));
    const [captured, contrast] = await sideBySide([
      captureKeys(model, sequences, captureBytes, signal),
      attentionContrast(model, facts, fact),
    ]);
    signal?.throwIfAborted();
    for (const [layer, score] of contrast.entries()) attention[layer]! += score;
    trials.push(captured.map((keys) => leaveOut(matrix(prompts.length, keys.length / prompts.length, keys), prompts)));
  }
  const mean = (of: (result: TrialResult) => number): number[] =>
    layers.map((layer) => trials.reduce((sum, trial) => sum + of(trial[layer]!), 0) / Math.max(1, trials.length));
  const arrival = attention.indexOf(Math.max(...attention));
  return {
    layer: bestLayer(trials, arrival),
    arrival,
    error: mean(({ error }) => error),
    leak: mean(({ leak }) => leak),
    facts: trials.length,
  };
}

/** Keys of every layer at the last tokens, as many layers in one forward pass as `captureBytes` hold. */
async function captureKeys(
  model: Model,
  sequences: readonly PositionsOf[],
  captureBytes: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const { nLayers, dMlp } = model.config;
  const tokens = sequences.reduce((sum, { ids }) => sum + ids.length, 0);
  const atOnce = Math.max(1, Math.floor(captureBytes / (tokens * dMlp * Float32Array.BYTES_PER_ELEMENT)));
  const keys: Float32Array[] = [];
  for (let first = 0; first < nLayers; first += atOnce) {
    signal?.throwIfAborted();
    const layers = Array.from({ length: Math.min(atOnce, nLayers - first) }, (_, i) => first + i);
    keys.push(...await captureRows(model, sequences, layers.map((layer) => `blocks.${layer}.mlp.hook_post`)));
  }
  return keys;
}

/** Contrast of each attention layer with the relation's other objects, in nats; zeros where there are none. */
async function attentionContrast(model: Model, facts: Facts, { relation, subject, object }: Fact): Promise<number[]> {
  const { tokenizer, config: { nLayers } } = model;
  const [target] = targetIds(tokenizer, object);
  const others = alternatives(facts, relation, object).map(asContinuation);
  const rivals = target === undefined ? [] : rivalTokens(tokenizer, others, target);
  if (target === undefined || rivals.length === 0) return new Array<number>(nLayers).fill(0);
  const prompt = fillTemplate(facts.relation(relation).cloze[0]!, subject);
  using captures = new Captures(model, model.tokens(prompt));
  return [...(await layerContrasts(captures, target, rivals)).attn];
}

/** What a write of one fact at one layer leaves undone, and what it does to other facts. */
export interface TrialResult {
  /** Mean squares of heads and neighbours, added. */
  error: number;
  /** Mean square of other facts. */
  leak: number;
}

/**
 * The layer of the least error and leak, among those from `from` on whose error is not above the least by more than one
 * standard error of the difference (the rule of Breiman et al., "Classification and regression trees", 1984, for choices
 * by leaving out): what heads and neighbours show comes first, and decides as far as the facts tried can tell.
 *
 * @param trials Results of each fact, layer by layer.
 * @param from First layer to choose from.
 * @returns -1 if there are none.
 */
export function bestLayer(trials: readonly (readonly TrialResult[])[], from: number): number {
  const layers = (trials[0] ?? []).map((_, layer) => layer).slice(from);
  const sum = (layer: number, of: (result: TrialResult) => number): number =>
    trials.reduce((total, trial) => total + of(trial[layer]!), 0);
  const least = (from: readonly number[], of: (result: TrialResult) => number): number =>
    from.reduce((best, layer) => sum(layer, of) < sum(best, of) ? layer : best, from[0] ?? -1);
  const first = least(layers, ({ error }) => error);
  const asGood = layers.filter((layer) => {
    const differences = trials.map((trial) => trial[layer]!.error - trial[first]!.error);
    const mean = differences.reduce((total, value) => total + value, 0) / trials.length;
    const square = differences.reduce((total, value) => total + (value - mean) ** 2, 0);
    return mean <= Math.sqrt(square / Math.max(1, trials.length - 1) / trials.length);
  });
  return least(asGood, ({ error, leak }) => error + leak);
}

/**
 * Mean squares of what left-out heads lack, and of what left-out neighbours and other facts receive.
 *
 * The fit is that of chain mode, D = R (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹ with M = a I + (keptWeight / n) sum s sᵀ, in its
 * other form: a ridge regression on keys K and kept keys s together, with noise ridge a on the first and
 * a n / keptWeight on the second.
 */
function leaveOut(keys: Matrix, rows: readonly TrialPrompt[]): TrialResult {
  const { ridge, keptWeight } = CHAIN_DEFAULTS;
  const u = keys.rows;
  const system = gram(keys);
  const wanted = rows.map(({ kind }): number => kind === "fact" || kind === "head" ? 1 : 0);
  const kept = wanted.filter((value) => value === 0).length;
  const square = wanted.reduce((sum, value, row) => sum + (value === 0 ? system.data[row * u + row]! : 0), 0);
  const a = ISOTROPIC * square / (kept * keys.cols);
  wanted.forEach((value, row) => system.data[row * u + row]! += value === 1 ? ridge * a : a * kept / keptWeight);
  const missing = leftOutResiduals(system, matrix(u, 1, wanted), rows.map(({ group }) => group)).data;
  const meanSquare = (wantedKind: TrialPrompt["kind"]): number => {
    const squares = rows.flatMap(({ kind }, row) => kind === wantedKind ? [missing[row]! ** 2] : []);
    return squares.reduce((sum, value) => sum + value, 0) / Math.max(1, squares.length);
  };
  return { error: meanSquare("head") + meanSquare("neighbour"), leak: meanSquare("other fact") };
}
