/**
 * Query scores: which earlier layers and neurons make value neurons fire (Yu and Ananiadou 2024).
 *
 * A value neuron reads the residual through its sub-key kappa (its input vector times the weight of the norm before it).
 * The residual is a sum of components c_i, and component i gets the share score * (c_i . kappa) / sum (c_j . kappa) of the
 * neuron's score; mean, divisor and bias of the norm cancel or are left out.
 *
 * @module
 */
import type { Tensor } from "../gpu/tensor.ts";
import { Temps } from "../model/hooks.ts";
import { linearBackward } from "../model/linear.ts";
import { type AttnNeuron, type FfnNeuron, ffnNeuronAt, topScored } from "./neuron_scores.ts";
import { readAt } from "./read_positions.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import { attnSubKeys, defaultSubKey, ffnSubKeys, type SubKey } from "./sub_keys.ts";

/** Options of the query scores. */
export interface QueryOptions {
  /** Leaves neurons above this conditioning out of the sums; their denominators all but cancel. Default: only those of 0. */
  maxConditioning?: number;
}

/** Options of {@linkcode queryLayersOfFfn}. */
export interface FfnQueryOptions extends QueryOptions {
  /** Vector that stands for what the neuron reads. Default: "effective" in gated MLPs, else "in". */
  subKey?: SubKey;
  /**
   * Counts the attention output of the neuron's own layer among its components. Default: where the MLP reads it, which
   * parallel blocks do not.
   */
  withOwnAttention?: boolean;
}

/** Shares of components in the scores of value neurons. */
export interface QueryShares {
  /**
   * Shares by neuron, [1 + 2 nLayers] each: embedding, then attention and MLP of layer 0, of layer 1, and so on. A slot
   * that is no component of the neuron is 0.
   */
  readonly shares: readonly Float64Array[];
  /** Sum of the shares of all neurons that were not dropped. */
  readonly slots: Float64Array;
  /** Sum of each neuron's component products; near zero, its shares mean little. */
  readonly denominators: readonly number[];
  /** Sum of absolute products over the absolute sum, by neuron; 1 at best, NaN where all products are 0. */
  readonly conditioning: readonly number[];
  /** Numbers of the neurons left out of `slots`. */
  readonly dropped: readonly number[];
}

/** Query scores of MLP neurons. */
export interface QueryNeurons {
  /** Sum over value neurons of each MLP neuron's share, [nLayers, dMlp]. */
  readonly scores: Float64Array;
  /** Product of each value neuron's input residual with its sub-key. */
  readonly denominators: readonly number[];
  /** Sum of absolute component products over the absolute denominator, by value neuron. */
  readonly conditioning: readonly number[];
  /** Numbers of the value neurons left out. */
  readonly dropped: readonly number[];
}

/** A value neuron with its score. */
export type Scored<T> = T & {
  /** Value score. */
  readonly score: number;
};

/** Shares of embedding and layers at the query position in the scores of MLP value neurons. */
export async function queryLayersOfFfn(
  prompt: ScoredPrompt,
  neurons: readonly Scored<FfnNeuron>[],
  options: FfnQueryOptions = {},
): Promise<QueryShares> {
  const { host, model } = prompt;
  const { nLayers, dModel, parallel } = model.config;
  const { subKey = defaultSubKey(model), withOwnAttention = !parallel } = options;
  const keys = await ffnSubKeys(prompt, neurons, subKey);
  const row = (values: Float32Array, i: number): Float32Array => values.subarray(i * dModel, (i + 1) * dModel);
  const products = neurons.map(({ layer }, n) => {
    const components = [row(host.bases, 0)];
    for (let i = 0; i < layer; i++) components.push(row(host.outputs, i), row(host.outputs, nLayers + i));
    if (withOwnAttention) components.push(row(host.outputs, layer));
    return components.map((component) => dot(component, keys[n]!));
  });
  return sharesOf(neurons, products, nLayers, options);
}

/** Shares of embedding and lower layers at each neuron's source position in the scores of attention value neurons. */
export async function queryLayersOfAttn(
  prompt: ScoredPrompt,
  neurons: readonly Scored<AttnNeuron>[],
  options: QueryOptions = {},
): Promise<QueryShares> {
  const { nLayers } = prompt.model.config;
  const keys = await attnSubKeys(prompt, neurons);
  const products = await componentProducts(prompt, neurons, keys);
  return sharesOf(neurons, products, nLayers, options);
}

/**
 * Shares of MLP neurons of lower layers, at each value neuron's source position, in the scores of attention value
 * neurons, summed: score * coefficient * (column of W_out . kappa) / (residual . kappa).
 */
export async function queryFfnNeurons(
  prompt: ScoredPrompt,
  neurons: readonly Scored<AttnNeuron>[],
  options: QueryOptions = {},
): Promise<QueryNeurons> {
  const { model } = prompt;
  const { gpu, weights, config: { nLayers, dMlp, dModel } } = model;
  const keys = await attnSubKeys(prompt, neurons);
  const sources = [...new Set(neurons.map(({ source }) => source))];
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const coefficients = await readAt(prompt, layers.map((layer) => `blocks.${layer}.mlp.hook_post`), sources);
  const residuals = await readAt(prompt, layers.map((layer) => `blocks.${layer}.hook_resid_pre`), sources);
  const measured = (await componentProducts(prompt, neurons, keys)).map((s) => conditioningOf(s));
  const dropped = dropIll(measured, options);
  const scores = new Float64Array(nLayers * dMlp);
  const denominators = neurons.map(({ layer, source }, n) => {
    const at = sources.indexOf(source) * dModel;
    return dot(residuals[layer]!.subarray(at, at + dModel), keys[n]!);
  });
  if (neurons.length === 0) return { scores, denominators, conditioning: measured, dropped };

  using temps = new Temps();
  const flat = Float32Array.from(keys.flatMap((key) => [...key]));
  using kappa = gpu.upload(flat, [neurons.length, dModel], "sub-keys");
  const products: Tensor[] = layers.map((layer) =>
    temps.add(linearBackward(gpu.stream, weights, `blocks.${layer}.mlp.W_out`, kappa))
  );
  const found = await gpu.stream.read(...products) as Float32Array[];
  neurons.forEach(({ layer, source, score }, n) => {
    if (dropped.includes(n)) return;
    const at = sources.indexOf(source) * dMlp;
    for (let below = 0; below < layer; below++) {
      for (let k = 0; k < dMlp; k++) {
        const product = coefficients[below]![at + k]! * found[below]![n * dMlp + k]!;
        scores[below * dMlp + k]! += score * product / denominators[n]!;
      }
    }
  });
  return { scores, denominators, conditioning: measured, dropped };
}

/** MLP neurons with the highest query scores, highest first; on ties the lower layer and neuron first. */
export function topQueryNeurons(prompt: ScoredPrompt, scores: Float64Array, top: number): Scored<FfnNeuron>[] {
  return topScored(scores, top, (at) => ffnNeuronAt(prompt, at));
}

/** Splits query neurons into those that are value neurons as well and those that only make others fire. */
export function splitQueryNeurons<T extends FfnNeuron>(
  query: readonly T[],
  value: readonly FfnNeuron[],
): { queryAndValue: T[]; queryOnly: T[] } {
  const name = ({ layer, neuron }: FfnNeuron): string => `${layer}_${neuron}`;
  const values = new Set(value.map(name));
  return {
    queryAndValue: query.filter((neuron) => values.has(name(neuron))),
    queryOnly: query.filter((neuron) => !values.has(name(neuron))),
  };
}

/** Products of embedding and layers below each attention neuron, at its source position, with its sub-key. */
async function componentProducts(
  prompt: ScoredPrompt,
  neurons: readonly AttnNeuron[],
  keys: readonly Float64Array[],
): Promise<number[][]> {
  const { config: { nLayers, dModel } } = prompt.model;
  const sources = [...new Set(neurons.map(({ source }) => source))];
  const layers = Array.from({ length: nLayers }, (_, layer) => `blocks.${layer}.`);
  const hooks = ["blocks.0.hook_resid_pre", ...layers.flatMap((l) => [`${l}hook_attn_out`, `${l}hook_mlp_out`])];
  const rows = await readAt(prompt, hooks, sources);
  return neurons.map(({ layer, source }, n) => {
    const at = sources.indexOf(source) * dModel;
    return rows.slice(0, 1 + 2 * layer).map((values) => dot(values.subarray(at, at + dModel), keys[n]!));
  });
}

function sharesOf(
  neurons: readonly Scored<unknown>[],
  products: readonly (readonly number[])[],
  nLayers: number,
  options: QueryOptions,
): QueryShares {
  const denominators = products.map((s) => s.reduce((sum, v) => sum + v, 0));
  const conditioning = products.map((s) => conditioningOf(s));
  const dropped = dropIll(conditioning, options);
  const slots = new Float64Array(1 + 2 * nLayers);
  const shares = neurons.map(({ score }, n) => {
    const row = new Float64Array(1 + 2 * nLayers);
    products[n]!.forEach((s, i) => row[i] = score * s / denominators[n]!);
    if (!dropped.includes(n)) row.forEach((share, i) => slots[i]! += share);
    return row;
  });
  return { shares, slots, denominators, conditioning, dropped };
}

function conditioningOf(products: readonly number[]): number {
  const sum = products.reduce((total, v) => total + v, 0);
  return products.reduce((total, v) => total + Math.abs(v), 0) / Math.abs(sum);
}

/** Neurons to leave out; those whose products add up to 0, or are all 0, have no shares that could be added. */
function dropIll(conditioning: readonly number[], { maxConditioning = Infinity }: QueryOptions): number[] {
  return conditioning.flatMap((value, n) => Number.isFinite(value) && value <= maxConditioning ? [] : [n]);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
