/**
 * Value scores of single neurons: the certified best, all of them, or an approximation of the worst.
 *
 * @module
 */
import { addScaledRows } from "../../kernels/add_scaled_rows.ts";
import { certifiedTop } from "./certified.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import { partsOf, writtenVectors } from "./weight_vectors.ts";

/** Multiply-adds of one submit: a second on 2 CPU cores, far below a GPU's time limit. */
const PRODUCTS_AT_ONCE = 2 ** 35;

/** A neuron of an MLP: one column of `W_out`. */
export interface FfnNeuron {
  /** Layer. */
  readonly layer: number;
  /** Column of `W_out`. */
  readonly neuron: number;
}

/** A neuron of attention: one column of `W_O`, with what one source position brings to it. */
export interface AttnNeuron {
  /** Layer. */
  readonly layer: number;
  /** Query head. */
  readonly head: number;
  /** Feature of the head. */
  readonly dim: number;
  /** Source position. */
  readonly source: number;
}

/** What a score says about a neuron. */
export interface NeuronScore {
  /** Increase of the target's log-probability, in nats. */
  readonly score: number;
  /** Upper bound of the score. */
  readonly bound: number;
  /** Factor of the neuron's column at the query position. */
  readonly coefficient: number;
}

/** Neurons sorted by score. */
export interface NeuronRanking<T> {
  /** Neurons: highest score first, or lowest first where `order` is "bottom". */
  readonly neurons: readonly (T & NeuronScore)[];
  /** Which end of the ranking. */
  readonly order: "top" | "bottom";
  /** Neurons whose score was computed. */
  readonly evaluated: number;
  /** Neurons in all. */
  readonly candidates: number;
  /** Whether it is certain that no other neuron belongs here; false: an approximation. */
  readonly certified: boolean;
}

/** Options of the neuron rankings. */
export interface RankingOptions {
  /** Neurons wanted. Default: 100. */
  top?: number;
  /** Which end. The bottom is approximate unless `full`: bounds say nothing about it. Default: "top". */
  order?: "top" | "bottom";
  /** Scores every neuron instead of stopping when the best are certain. Default: false. */
  full?: boolean;
  /** Multiply-adds of one submit; smaller means more of them. Default: 2^35. */
  productsAtOnce?: number;
  /** Stops before the next neurons that are scored together. */
  signal?: AbortSignal | undefined;
}

/** One column of a weight, added with a factor to the base of its layer. */
interface Column {
  readonly layer: number;
  readonly column: number;
  readonly factor: number;
}

/** How the neurons of a kind are numbered, bounded and read. */
interface Kind<T> {
  /** Neurons in all. */
  readonly count: number;
  /** Weight that holds the columns. */
  readonly weight: "mlp.W_out" | "attn.W_O";
  /** Row of the bases that a layer's neurons are added to. */
  readonly base: (layer: number) => number;
  /** Neuron number `index`. */
  readonly name: (index: number) => T;
  /** Its column. */
  readonly column: (index: number) => Column;
  /** Upper bounds of all. */
  readonly bounds: () => Float64Array;
}

/** Upper bounds of the scores of all MLP neurons, [nLayers, dMlp]. */
export function ffnNeuronBounds(prompt: ScoredPrompt): Float64Array {
  const { coefficients, ffnSlopes } = prompt.host;
  const { dMlp } = prompt.model.config;
  return Float64Array.from(
    coefficients,
    (coefficient, i) => coefficient * ffnSlopes[Math.floor(i / dMlp)]![i % dMlp]!,
  );
}

/** Upper bounds of the scores of all attention neurons, [nLayers, nHeads, dHead, pos]. */
export function attnNeuronBounds(prompt: ScoredPrompt): Float64Array {
  const kind = attnKind(prompt);
  return Float64Array.from({ length: kind.count }, (_, i) => {
    const { layer, column, factor } = kind.column(i);
    return factor * prompt.host.attnSlopes[layer]![column]!;
  });
}

/**
 * Ranks MLP neurons by the increase that `coefficient * column of W_out` brings to the residual after attention.
 *
 * @returns The top is certified: what scoring every neuron would give, up to rounding.
 */
export async function rankFfnNeurons(
  prompt: ScoredPrompt,
  options: RankingOptions = {},
): Promise<NeuronRanking<FfnNeuron>> {
  return await rank(prompt, ffnKind(prompt), options);
}

/**
 * Ranks attention neurons by the increase that `attention * value * column of W_O` brings to the residual before
 * attention, one neuron a head, feature and source position.
 *
 * @returns The top is certified.
 */
export async function rankAttnNeurons(
  prompt: ScoredPrompt,
  options: RankingOptions = {},
): Promise<NeuronRanking<AttnNeuron>> {
  return await rank(prompt, attnKind(prompt), options);
}

/** Scores of all MLP neurons, [nLayers, dMlp]; as many vocabulary products as there are neurons. */
export async function ffnNeuronScores(prompt: ScoredPrompt): Promise<Float64Array> {
  return await allScores(prompt, ffnKind(prompt), {});
}

/** Scores of all attention neurons, [nLayers, nHeads, dHead, pos]; as many vocabulary products as there are neurons. */
export async function attnNeuronScores(prompt: ScoredPrompt): Promise<Float64Array> {
  return await allScores(prompt, attnKind(prompt), {});
}

function ffnKind(prompt: ScoredPrompt): Kind<FfnNeuron> {
  const { host, model: { config: { nLayers, dMlp } } } = prompt;
  const name = (i: number): FfnNeuron => ffnNeuronAt(prompt, i);
  return {
    count: nLayers * dMlp,
    weight: "mlp.W_out",
    base: (layer) => nLayers + layer,
    name,
    column: (i) => ({ layer: Math.floor(i / dMlp), column: i % dMlp, factor: host.coefficients[i]! }),
    bounds: () => ffnNeuronBounds(prompt),
  };
}

/** The MLP neuron at a place of [nLayers, dMlp]. */
export function ffnNeuronAt({ model: { config: { dMlp } } }: ScoredPrompt, at: number): FfnNeuron {
  return { layer: Math.floor(at / dMlp), neuron: at % dMlp };
}

/** The attention neuron at a place of [nLayers, nHeads, dHead, source positions]. */
export function attnNeuronAt({ pos, model: { config } }: ScoredPrompt, at: number): AttnNeuron {
  const { nHeads, dHead } = config;
  const feature = Math.floor(at / pos);
  const head = Math.floor(feature / dHead);
  return { layer: Math.floor(head / nHeads), head: head % nHeads, dim: feature % dHead, source: at % pos };
}

function attnKind(prompt: ScoredPrompt): Kind<AttnNeuron> {
  const { pos, model: { config: { nLayers, nHeads, dHead } } } = prompt;
  const name = (i: number): AttnNeuron => attnNeuronAt(prompt, i);
  return {
    count: nLayers * nHeads * dHead * pos,
    weight: "attn.W_O",
    base: (layer) => layer,
    name,
    column: (i) => {
      const { layer, head, dim, source } = name(i);
      return { layer, column: head * dHead + dim, factor: prompt.attnCoefficient(layer, head, dim, source) };
    },
    bounds: () => attnNeuronBounds(prompt),
  };
}

/**
 * The highest of scores that are all there, highest first; on ties the earlier place first.
 *
 * @param neuronAt What a place stands for.
 */
export function topScored<T>(
  scores: Float64Array,
  top: number,
  neuronAt: (at: number) => T,
): (T & Pick<NeuronScore, "score">)[] {
  return Array.from(scores, (_, at) => at).sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, top)
    .map((at) => ({ ...neuronAt(at), score: scores[at]! }));
}

async function rank<T>(prompt: ScoredPrompt, kind: Kind<T>, options: RankingOptions): Promise<NeuronRanking<T>> {
  const { top = 100, order = "top", full = false } = options;
  if (!Number.isInteger(top) || top < 1) {
    throw new RangeError(`Cannot rank neurons: top is ${top}, wanted a whole number from 1 up`);
  }
  const bounds = kind.bounds();
  const sign = order === "top" ? 1 : -1;
  const evaluate = (indices: readonly number[]): Promise<Float64Array> => scoresOf(prompt, kind, indices, options);
  let found: { indices: readonly number[]; scores: readonly number[]; evaluated: number };
  if (full) {
    const scores = await allScores(prompt, kind, options);
    const indices = Array.from(scores, (_, i) => i).sort((a, b) => sign * (scores[b]! - scores[a]!) || a - b)
      .slice(0, top);
    found = { indices, scores: indices.map((i) => scores[i]!), evaluated: kind.count };
  } else if (order === "top") {
    found = await certifiedTop(bounds, top, evaluate);
  } else {
    // The neurons that the bounds call worst, sorted by their scores: 96 to 99 of the true bottom 100 in trials.
    const lowest = Array.from(bounds, (_, i) => i).sort((a, b) => bounds[a]! - bounds[b]! || a - b).slice(0, top);
    const scores = await evaluate(lowest);
    const sorted = lowest.map((index, i) => ({ index, score: scores[i]! }))
      .sort((a, b) => a.score - b.score || a.index - b.index);
    found = {
      indices: sorted.map(({ index }) => index),
      scores: sorted.map(({ score }) => score),
      evaluated: lowest.length,
    };
  }
  return {
    neurons: found.indices.map((index, i) => ({
      ...kind.name(index),
      score: found.scores[i]!,
      bound: bounds[index]!,
      coefficient: kind.column(index).factor,
    })),
    order,
    evaluated: found.evaluated,
    candidates: kind.count,
    certified: full || order === "top",
  };
}

/** Scores of chosen neurons, in the order given: one vocabulary product each, one read-back for all. */
async function evaluateNeurons<T>(
  prompt: ScoredPrompt,
  kind: Kind<T>,
  indices: readonly number[],
): Promise<Float64Array> {
  const { captures, host, target, model } = prompt;
  const { stream } = model.gpu;
  const columns = indices.map((index, place) => ({ ...kind.column(index), place })).sort((a, b) => a.layer - b.layer);
  const vectors = columns.map(({ layer, column }) => ({ weight: `blocks.${layer}.${kind.weight}`, index: column }));
  using x = writtenVectors(model, partsOf(vectors));
  using slot = model.uploadIndex(columns.map(({ layer }) => kind.base(layer)), "bases");
  using factor = model.gpu.upload(
    Float32Array.from(columns, ({ factor }) => factor),
    [columns.length],
    "coefficients",
  );
  using sums = addScaledRows(stream, { x, base: captures.bases, slot, factor });
  using logProb = captures.projection.logProb(sums, target);
  const [found] = await stream.read(logProb);
  const scores = new Float64Array(indices.length);
  columns.forEach(({ layer, place }, i) => scores[place] = found[i]! - host.baseLogProb[kind.base(layer)]!);
  return scores;
}

/** Scores of any number of neurons, as many in one submit as the options allow. */
async function scoresOf<T>(
  prompt: ScoredPrompt,
  kind: Kind<T>,
  indices: readonly number[],
  { productsAtOnce = PRODUCTS_AT_ONCE, signal }: RankingOptions,
): Promise<Float64Array> {
  const scores = new Float64Array(indices.length);
  const { dModel, vocab } = prompt.model.config;
  const rows = Math.max(1, Math.floor(productsAtOnce / (dModel * vocab)));
  for (let first = 0; first < indices.length; first += rows) {
    signal?.throwIfAborted();
    scores.set(await evaluateNeurons(prompt, kind, indices.slice(first, first + rows)), first);
  }
  return scores;
}

function allScores<T>(prompt: ScoredPrompt, kind: Kind<T>, options: RankingOptions): Promise<Float64Array> {
  return scoresOf(prompt, kind, Array.from({ length: kind.count }, (_, i) => i), options);
}
