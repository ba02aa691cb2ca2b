/**
 * Sub-keys: the vectors through which value neurons read the residual, times the weight of the norm before them.
 *
 * @module
 */
import { Temps } from "../model/hooks.ts";
import type { Model } from "../model/model.ts";
import type { AttnNeuron, FfnNeuron } from "./neuron_scores.ts";
import { readAt } from "./read_positions.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import { partsOf, readVectors, vectorElements, writtenVectors } from "./weight_vectors.ts";

/**
 * What stands for the input of an MLP neuron: its row of `W_in` ("in", in gated MLPs also called "up"), of `W_gate`
 * ("gate"), the gradient of its gated activation at the query position ("effective"), or, as published code for gated
 * MLPs has it, its output vector ("repoDown").
 */
export type SubKey = "in" | "gate" | "up" | "effective" | "repoDown";

/** The sub-key that fits a model: the effective one in gated MLPs. */
export function defaultSubKey(model: Model): SubKey {
  return model.architecture.gated ? "effective" : "in";
}

/**
 * Sub-keys of MLP neurons.
 *
 * @returns [dModel] for each neuron, in their order.
 * @throws {TypeError} If the model is not gated and the sub-key needs a gate.
 */
export async function ffnSubKeys(
  prompt: ScoredPrompt,
  neurons: readonly FfnNeuron[],
  subKey: SubKey,
): Promise<Float64Array[]> {
  const { model } = prompt;
  if (!model.architecture.gated && (subKey === "gate" || subKey === "up" || subKey === "effective")) {
    throw new TypeError(
      `Cannot use sub-key "${subKey}" with a ${model.config.family} model: its MLP has no gate. Use "in"`,
    );
  }
  const norm = (layer: number): string =>
    model.weights.find(`blocks.${layer}.ln2.w`) ? `blocks.${layer}.ln2.w` : `blocks.${layer}.ln1.w`;
  const rows = async (weight: string, written = false): Promise<Float64Array[]> =>
    await fetchVectors(model, neurons.map(({ layer, neuron }) => ({ layer, weight, index: neuron })), written);
  let vectors: Float64Array[];
  if (subKey === "gate") vectors = await rows("mlp.W_gate");
  else if (subKey === "repoDown") vectors = await rows("mlp.W_out", true);
  else if (subKey === "effective") {
    const factors = await gateFactors(prompt, neurons);
    const [gates, ups] = [await rows("mlp.W_gate"), await rows("mlp.W_in")];
    vectors = gates.map((gate, n) => gate.map((g, i) => factors[n]!.gate * g + factors[n]!.up * ups[n]![i]!));
  } else vectors = await rows("mlp.W_in");
  return await timesNorm(model, vectors, neurons.map(({ layer }) => norm(layer)));
}

/**
 * Sub-keys of attention neurons: rows of `W_V` of the key/value head that the query head reads.
 *
 * @returns [dModel] for each neuron, in their order.
 */
export async function attnSubKeys(prompt: ScoredPrompt, neurons: readonly AttnNeuron[]): Promise<Float64Array[]> {
  const { model } = prompt;
  const { nHeads, nKvHeads, dHead } = model.config;
  const wanted = neurons.map(({ layer, head, dim }) => ({
    layer,
    weight: "attn.W_V",
    index: Math.floor(head / (nHeads / nKvHeads)) * dHead + dim,
  }));
  const vectors = await fetchVectors(model, wanted, false);
  return await timesNorm(model, vectors, neurons.map(({ layer }) => `blocks.${layer}.ln1.w`));
}

/** Partial derivatives of silu(gate) * up with respect to gate and up, at the query position. */
async function gateFactors(
  prompt: ScoredPrompt,
  neurons: readonly FfnNeuron[],
): Promise<{ gate: number; up: number }[]> {
  const layers = Array.from({ length: prompt.model.config.nLayers }, (_, layer) => `blocks.${layer}.mlp.`);
  const hooks = [...layers.map((l) => `${l}hook_pre`), ...layers.map((l) => `${l}hook_pre_linear`)];
  const rows = await readAt(prompt, hooks, [prompt.pos - 1]);
  return neurons.map(({ layer, neuron }) => {
    const [gate, up] = [rows[layer]![neuron]!, rows[layers.length + layer]![neuron]!];
    const sigmoid = 1 / (1 + Math.exp(-gate));
    return { gate: sigmoid * (1 + gate * (1 - sigmoid)) * up, up: gate * sigmoid };
  });
}

/** Vectors of weights of several layers on the host, in the order asked for. */
async function fetchVectors(
  model: Model,
  wanted: readonly { layer: number; weight: string; index: number }[],
  written: boolean,
): Promise<Float64Array[]> {
  if (wanted.length === 0) return [];
  const order = wanted.map((_, n) => n).sort((a, b) => wanted[a]!.layer - wanted[b]!.layer);
  const parts = partsOf(order.map((n) => {
    const { layer, weight, index } = wanted[n]!;
    return { weight: `blocks.${layer}.${weight}`, index };
  }));
  using rows = written ? writtenVectors(model, parts) : readVectors(model, parts);
  const [found] = await model.gpu.stream.read(rows);
  const width = found.length / wanted.length;
  const out = new Array<Float64Array>(wanted.length);
  order.forEach((n, i) => out[n] = Float64Array.from(found.subarray(i * width, (i + 1) * width)));
  return out;
}

/** Each vector times, element by element, the norm weight named for it. */
async function timesNorm(
  model: Model,
  vectors: readonly Float64Array[],
  norms: readonly string[],
): Promise<Float64Array[]> {
  const names = [...new Set(norms)];
  using temps = new Temps();
  const found = await model.gpu.stream.read(...names.map((name) => temps.add(vectorElements(model, name))));
  return vectors.map((vector, n) => {
    const weight = found[names.indexOf(norms[n]!)]!;
    return vector.map((v, i) => v * weight[i]!);
  });
}
