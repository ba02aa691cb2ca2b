import type { Model } from "../model/model.ts";
import { nextTokens } from "../model/next_tokens.ts";
import { answerTokens, rivalTokens } from "./answer_tokens.ts";
import { contrastScores } from "./contrast.ts";
import {
  type AttnNeuron,
  type FfnNeuron,
  ffnNeuronAt,
  type NeuronRanking,
  type NeuronScore,
  rankAttnNeurons,
  rankFfnNeurons,
  topScored,
} from "./neuron_scores.ts";
import { promotedTokens } from "./projection.ts";
import { ScoredPrompt } from "./scored_prompt.ts";
import { headScores, layerScores, type LayerValues } from "./scores.ts";

/** What {@linkcode attribute} is asked. */
export interface AttributeOptions {
  /** Prompt, or its token ids. */
  prompt: string | readonly number[];
  /**
   * Answer to score, or its token id. A text that does not start with white space gets a space in front; of several tokens
   * the first is scored. Default: the most likely token.
   */
  target?: string | number;
  /** Position that predicts the target, from 0. Default: the last of the prompt. */
  position?: number;
  /** Neurons of each kind. Default: 100. */
  top?: number;
  /** Other answers, as texts or token ids; their first tokens make the contrast. Default: no contrast. */
  alternatives?: readonly (string | number)[];
  /** Tokens listed for each neuron, 1 to 128. Default: 5. */
  tokens?: number;
  /** Stops the work before its next step. */
  signal?: AbortSignal | undefined;
}

/** A neuron with the tokens that it promotes in this prompt. */
export type AttributedNeuron<T> = T & NeuronScore & {
  /** Texts of the tokens whose logits the neuron raises most, highest first. */
  readonly tokens: readonly string[];
};

/** The token that was scored. */
export interface ScoredTarget {
  /** Token id. */
  readonly id: number;
  /** Its text. */
  readonly text: string;
  /** Its log-probability at the position. */
  readonly logProb: number;
  /** The answer that was asked for. */
  readonly requested: string;
  /** Number of tokens of that answer; of more than one only the first is scored. */
  readonly tokens: number;
}

/** An MLP neuron that tells an answer from others. */
export interface ContrastNeuron extends FfnNeuron {
  /** Increase of the target above the alternatives, in nats. */
  readonly score: number;
  /** Factor of the neuron's column at the query position. */
  readonly coefficient: number;
  /** Texts of the tokens whose logits the neuron raises most, highest first. */
  readonly tokens: readonly string[];
}

/** A contrast with other answers. */
export interface AttributionContrast {
  /** Tokens that the target was compared with. */
  readonly alternatives: readonly { readonly id: number; readonly text: string }[];
  /** Increase of the target above the alternatives by each layer. */
  readonly layers: LayerValues;
  /** The same by query head, [nLayers][nHeads]. */
  readonly heads: readonly (readonly number[])[];
  /** MLP neurons with the highest contrast, highest first; all neurons were scored. */
  readonly neurons: readonly ContrastNeuron[];
}

/** Which parts of a model recall an answer. */
export interface Attribution {
  /** Prompt as text. */
  readonly prompt: string;
  /** Position that predicts the target. */
  readonly position: number;
  /** Scored token. */
  readonly target: ScoredTarget;
  /** Increase of the target's log-probability by each layer, in nats. */
  readonly layers: LayerValues;
  /** The same by query head, [nLayers][nHeads]. */
  readonly heads: readonly (readonly number[])[];
  /** MLP neurons with the highest scores. */
  readonly neurons: readonly AttributedNeuron<FfnNeuron>[];
  /** Attention neurons with the highest scores. */
  readonly attnNeurons: readonly AttributedNeuron<AttnNeuron>[];
  /** Contrast scores, if there were alternatives. */
  readonly contrast?: AttributionContrast;
  /** Neurons whose scores were computed to be certain. */
  readonly evaluated: { readonly ffn: number; readonly attn: number };
  /** Neurons in all. */
  readonly candidates: { readonly ffn: number; readonly attn: number };
  /** Whether the lists are certain to hold the highest scores. */
  readonly certified: boolean;
  /** What a reader should know, such as an answer of several tokens. */
  readonly notes: readonly string[];
}

/**
 * Finds the layers, heads and neurons that raise the log-probability of an answer (value scores of Yu and Ananiadou 2024),
 * with the tokens that the neurons promote; with alternatives also the contrast between answers.
 *
 * ```ts
 * import { attribute, Gpu, loadModel } from "ace-webgpu";
 *
 * using gpu = await Gpu.open();
 * using model = await loadModel(gpu, "fixtures/world/world-qwen3");
 * const { neurons } = await attribute(model, { prompt: "The capital of France is", target: " Paris", top: 10 });
 * console.assert(neurons.length === 10);
 * ```
 *
 * @throws {RangeError} If the prompt is empty or too long, or the position or a token does not exist.
 * @throws {TypeError} If the target has no token.
 */
export async function attribute(model: Model, options: AttributeOptions): Promise<Attribution> {
  const { top = 100, tokens = 5, signal } = options;
  const { tokenizer, config: { nLayers, nHeads } } = model;
  const all = typeof options.prompt === "string" ? model.tokens(options.prompt) : options.prompt;
  const position = options.position ?? all.length - 1;
  if (!Number.isInteger(position) || position < 0 || position >= all.length) {
    throw new RangeError(`Cannot attribute at position ${position}: the prompt has positions 0 to ${all.length - 1}`);
  }
  const ids = all.slice(0, position + 1);
  signal?.throwIfAborted();
  const wanted = await targetOf(model, ids, options.target);
  const notes = wanted.count > 1
    ? [
      `The answer ${JSON.stringify(wanted.requested)} has ${wanted.count} tokens; the first, ` +
      `${JSON.stringify(tokenizer.tokenText(wanted.id))}, is scored`,
    ]
    : [];
  using prompt = await ScoredPrompt.open(model, ids, wanted.id);
  const ffn = await rankFfnNeurons(prompt, { top, signal });
  const attn = await rankAttnNeurons(prompt, { top, signal });
  signal?.throwIfAborted();
  const byLayer = (values: Float64Array): number[][] =>
    Array.from({ length: nLayers }, (_, layer) => [...values.subarray(layer * nHeads, (layer + 1) * nHeads)]);
  const contrast = options.alternatives
    ? await contrastOf(prompt, rivalTokens(tokenizer, options.alternatives, wanted.id), top, tokens, byLayer)
    : undefined;
  signal?.throwIfAborted();
  if (options.alternatives && !contrast) notes.push("No alternative differs from the target in its first token");
  return {
    prompt: typeof options.prompt === "string" ? options.prompt : tokenizer.decode(options.prompt),
    position,
    target: {
      id: wanted.id,
      text: tokenizer.tokenText(wanted.id),
      logProb: prompt.host.logProb,
      requested: wanted.requested,
      tokens: wanted.count,
    },
    layers: layerScores(prompt),
    heads: byLayer(await headScores(prompt)),
    neurons: await withTokens(prompt, ffn, tokens),
    attnNeurons: await withTokens(prompt, attn, tokens),
    ...(contrast ? { contrast } : {}),
    evaluated: { ffn: ffn.evaluated, attn: attn.evaluated },
    candidates: { ffn: ffn.candidates, attn: attn.candidates },
    certified: ffn.certified && attn.certified,
    notes,
  };
}

async function targetOf(
  model: Model,
  ids: readonly number[],
  target: string | number | undefined,
): Promise<{ id: number; requested: string; count: number }> {
  if (typeof target === "string") {
    const tokens = answerTokens(model.tokenizer, target);
    if (tokens.length === 0) {
      throw new TypeError(
        `Cannot attribute ${JSON.stringify(target)}: found no token, wanted an answer of at least one`,
      );
    }
    return { id: tokens[0]!, requested: target, count: tokens.length };
  }
  const id = target ?? (await nextTokens(model, ids, 1))[0]!.id;
  return { id, requested: model.tokenizer.tokenText(id), count: 1 };
}

async function contrastOf(
  prompt: ScoredPrompt,
  others: readonly number[],
  top: number,
  tokenCount: number,
  byLayer: (values: Float64Array) => number[][],
): Promise<AttributionContrast | undefined> {
  if (others.length === 0) return undefined;
  const { tokenizer, config: { dMlp } } = prompt.model;
  const { layers, heads, ffnNeurons } = await contrastScores(prompt, others);
  const neurons = topScored(ffnNeurons, top, (at) => ffnNeuronAt(prompt, at)).map((scored) => ({
    ...scored,
    coefficient: prompt.host.coefficients[scored.layer * dMlp + scored.neuron]!,
  }));
  const tokens = await promotedTokens(prompt, neurons, tokenCount);
  return {
    alternatives: others.map((id) => ({ id, text: tokenizer.tokenText(id) })),
    layers,
    heads: byLayer(heads),
    neurons: neurons.map((neuron, n) => ({ ...neuron, tokens: tokens[n]! })),
  };
}

async function withTokens<T extends FfnNeuron | AttnNeuron>(
  prompt: ScoredPrompt,
  ranking: NeuronRanking<T>,
  count: number,
): Promise<AttributedNeuron<T>[]> {
  const tokens = await promotedTokens(prompt, ranking.neurons, count);
  return ranking.neurons.map((neuron, n) => ({ ...neuron, tokens: tokens[n]! }));
}
