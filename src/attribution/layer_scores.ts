import type { Model } from "../model/model.ts";
import { type ContrastScores, contrastScores, layerContrasts } from "./contrast.ts";
import {
  type AttnNeuron,
  attnNeuronAt,
  type FfnNeuron,
  ffnNeuronAt,
  rankAttnNeurons,
  rankFfnNeurons,
  topScored,
} from "./neuron_scores.ts";
import { queryLayersOfAttn, queryLayersOfFfn, type Scored } from "./query_scores.ts";
import { ScoredPrompt } from "./scored_prompt.ts";
import { layerScores } from "./scores.ts";

/** One score a layer for its attention and its MLP, mean over prompts, in nats. */
export interface MeanLayerValues {
  /** Attention. */
  attn: number[];
  /** MLP. */
  ffn: number[];
}

/** Scores of layers, from which layers to edit are chosen. */
export interface LayerScores {
  /**
   * Published value score: increase of the answer's log-probability by the layer's whole output. The sum over a layer's
   * neurons, which the paper names as well, credits columns one at a time and needs every neuron.
   */
  value: MeanLayerValues;
  /** Contrast with the alternatives, the same outputs and bases. */
  contrast: MeanLayerValues;
  /**
   * Query score of each MLP: its shares in the scores of the best MLP value neurons, at the last position, and of the best
   * attention value neurons, at their source positions; value neurons by the scoring asked for.
   */
  query: number[];
}

/** What {@linkcode scoreLayers} scores. */
export interface LayerScoreInput {
  /** Tokens of each prompt; all predict the same answer. */
  prompts: readonly (readonly number[])[];
  /** First token of the answer. */
  target: number;
  /** Tokens to contrast with, other than the target. */
  alternatives: readonly number[];
  /** Which scores choose the value neurons that query scores start from. Default: "published". */
  scoring?: "published" | "contrast";
  /** Stops the work before the next prompt, and between the scores of one. */
  signal?: AbortSignal | undefined;
}

/** Value neurons of each kind that query scores start from; published figures take 30 to 100. */
const VALUE_NEURONS = 100;

/** Neurons whose components cancel to less than a tenth are left out: their shares are mostly rounding and chance. */
const MAX_CONDITIONING = 10;

/**
 * Scores every layer, mean over prompts.
 *
 * @throws {RangeError} If there are no prompts or no alternatives, or a token does not exist.
 */
export async function scoreLayers(model: Model, input: LayerScoreInput): Promise<LayerScores> {
  const { prompts, target, alternatives, scoring = "published", signal } = input;
  const { nLayers } = model.config;
  if (prompts.length === 0) throw new RangeError("Cannot score layers: found no prompts, wanted at least one");
  const zeros = (): number[] => new Array<number>(nLayers).fill(0);
  const mean: LayerScores = {
    value: { attn: zeros(), ffn: zeros() },
    contrast: { attn: zeros(), ffn: zeros() },
    query: zeros(),
  };
  const add = (to: number[], values: ArrayLike<number>): void => {
    to.forEach((value, layer) => to[layer] = value + values[layer]! / prompts.length);
  };
  for (const ids of prompts) {
    signal?.throwIfAborted();
    using prompt = await ScoredPrompt.open(model, ids, target);
    const value = layerScores(prompt);
    const contrast = scoring === "contrast"
      ? await contrastScores(prompt, alternatives, { attnNeurons: true })
      : { layers: await layerContrasts(prompt.captures, target, alternatives) };
    signal?.throwIfAborted();
    for (const half of ["attn", "ffn"] as const) {
      add(mean.value[half], value[half]);
      add(mean.contrast[half], contrast.layers[half]);
    }
    const neurons = "heads" in contrast ? contrastNeurons(prompt, contrast) : await valueNeurons(prompt, signal);
    add(mean.query, await queryOfLayers(prompt, neurons));
  }
  return mean;
}

/** Value neurons of both kinds with their scores. */
interface ValueNeurons {
  ffn: readonly Scored<FfnNeuron>[];
  attn: readonly Scored<AttnNeuron>[];
}

/** Value neurons by the published score. */
async function valueNeurons(prompt: ScoredPrompt, signal: AbortSignal | undefined): Promise<ValueNeurons> {
  const { neurons: ffn } = await rankFfnNeurons(prompt, { top: VALUE_NEURONS, signal });
  const { neurons: attn } = await rankAttnNeurons(prompt, { top: VALUE_NEURONS, signal });
  return { ffn, attn };
}

/** Value neurons by their contrast. */
function contrastNeurons(prompt: ScoredPrompt, { ffnNeurons, attnNeurons }: ContrastScores): ValueNeurons {
  return {
    ffn: topScored(ffnNeurons, VALUE_NEURONS, (at) => ffnNeuronAt(prompt, at)),
    attn: topScored(attnNeurons!, VALUE_NEURONS, (at) => attnNeuronAt(prompt, at)),
  };
}

async function queryOfLayers(prompt: ScoredPrompt, { ffn, attn }: ValueNeurons): Promise<Float64Array> {
  const options = { maxConditioning: MAX_CONDITIONING };
  const ofFfn = await queryLayersOfFfn(prompt, ffn, options);
  const ofAttn = await queryLayersOfAttn(prompt, attn, options);
  // Slots are embedding, then attention and MLP of each layer.
  return Float64Array.from(
    { length: prompt.model.config.nLayers },
    (_, layer) => ofFfn.slots[2 + 2 * layer]! + ofAttn.slots[2 + 2 * layer]!,
  );
}
