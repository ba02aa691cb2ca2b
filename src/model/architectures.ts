/**
 * The architecture table: one record per model family. The forward pass reads the record; there is no code per family
 * and no guess from a shape.
 *
 * @module
 */
import { quoteValue } from "../checkpoint/file_error.ts";
import { gpt2 } from "./families/gpt2.ts";
import { gptNeox } from "./families/gpt_neox.ts";
import { gptj } from "./families/gptj.ts";
import { llama } from "./families/llama.ts";
import { mistral } from "./families/mistral.ts";
import { phi3 } from "./families/phi3.ts";
import { qwen2 } from "./families/qwen2.ts";
import { qwen3 } from "./families/qwen3.ts";
import { refuseForeignFields } from "./families/neutral_fields.ts";
import { refuseUnsupported } from "./families/unsupported.ts";
import type { RopeScaling } from "./rope_scaling.ts";

/** Sizes and choices that the forward pass needs, the same for every family. */
export interface ModelConfig {
  /** Key in {@linkcode ARCHITECTURES}; `model_type` of config.json. */
  family: string;
  /** Blocks. */
  nLayers: number;
  /** Width of the residual stream. */
  dModel: number;
  /** Query heads. */
  nHeads: number;
  /** Key and value heads; query head h reads head floor(h / (nHeads / nKvHeads)). */
  nKvHeads: number;
  /** Width of one head; nHeads * dHead may differ from dModel. */
  dHead: number;
  /** Inner width of the MLP. */
  dMlp: number;
  /** Rows of the embedding; may exceed the tokenizer's. */
  vocab: number;
  /** Longest context in tokens; that of the attention window where it is shorter, since inside it nothing is cut off. */
  maxPos: number;
  /** Whether it is the attention window that ends the context. Default: no. */
  windowed?: boolean;
  /** Epsilon of every norm. */
  eps: number;
  /** Rotary embedding, or null where positions are learned. */
  rotary: RotaryConfig | null;
  /** Parallel blocks add attention and MLP of the same input; sequential ones feed the MLP with attention's result. */
  parallel: boolean;
  /** Activation of the MLP. */
  activation: "gelu_tanh" | "gelu_exact" | "silu";
  /** Whether the unembedding is the embedding. */
  tied: boolean;
  /** Whether the projections of attention and MLP have biases, where that is left to config.json. Default: no. */
  biases?: { attn: boolean; mlp: boolean };
}

/** Rotary embedding: features turned per head, base of the frequencies, and what the frequencies are changed by. */
export interface RotaryConfig {
  /** Features turned per head, an even number. */
  dims: number;
  /** Base of the frequencies. */
  theta: number;
  /** Change of the frequencies for long contexts. Default: none. */
  scaling?: RopeScaling;
}

/** How a matrix lies in the file: `out_in` rows are outputs (Linear), `in_out` rows are inputs (Conv1D). */
export type WeightLayout = "out_in" | "in_out" | "vector";

/** A part of a stored tensor that holds several weights: of every `period` elements, `count` from `first` on. */
export interface StoredPart {
  /** Shape of the stored tensor. */
  shape: number[];
  /** Elements after which the pattern repeats. */
  period: number;
  /** First element of the part within a period. */
  first: number;
  /** Elements of the part within a period. */
  count: number;
}

/** Where a weight is found and how it lies. */
export interface WeightSpec {
  /** Name in the checkpoint; `{}` stands for the layer. */
  name: string;
  /** Shape of the weight: as stored, or of its part of the stored tensor. */
  shape: (config: ModelConfig) => number[];
  /** Layout of the matrix. */
  layout: WeightLayout;
  /** Which part of the stored tensor it is, where that holds several weights. */
  part?: (config: ModelConfig) => StoredPart;
  /** Whether a model of this config has it. Default: yes. */
  when?: (config: ModelConfig) => boolean;
}

/** One model family. */
export interface Architecture {
  /** Norm of every block and of the end. */
  norm: "layer" | "rms";
  /** Whether the MLP has a norm of its own, `ln2`, or reads the result of `ln1` (parallel blocks only). */
  mlpNorm: boolean;
  /** Turned features: neighbours (0,1) (2,3) or halves (0,n/2) (1,n/2+1); null where positions are learned. */
  rotaryStyle: "pairs" | "halves" | null;
  /** Whether the MLP multiplies an activated gate with a linear branch. */
  gated: boolean;
  /** Whether queries and keys are RMS-normed per head. */
  qkNorm: boolean;
  /** Prefix that checkpoints of the bare model, without head, leave out of every name. */
  barePrefix?: string;
  /** Weights of one block by TransformerLens name, without `blocks.{}.`. */
  block: Readonly<Record<string, WeightSpec>>;
  /** Weights outside the blocks by TransformerLens name; `unembed.W_U` is left out of tied models. */
  outer: Readonly<Record<string, WeightSpec>>;
  /** Fields of config.json that `readConfig` checks; the others must change nothing, as `neutral_fields.ts` knows them. */
  reads: readonly string[];
  /** Checks a parsed config.json and takes the sizes from it. @throws {TypeError} Names the field, the found and the wanted. */
  readConfig: (json: unknown, path: string) => ModelConfig;
}

/** Families by `model_type`. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  gpt2,
  gptj,
  gpt_neox: gptNeox,
  llama,
  mistral,
  phi3,
  qwen2,
  qwen3,
};

/** Most blocks that a config may have, many times those of the deepest models: what is listed for each must end. */
const MAX_LAYERS = 10_000;

/** The record of a config's family. */
export function architectureOf(config: ModelConfig): Architecture {
  return ARCHITECTURES[config.family]!;
}

/**
 * Reads a parsed config.json by the record of its family.
 *
 * @throws {TypeError} If the family is unknown, a field that changes the maths has an unsupported value, or sizes contradict
 * each other.
 */
export function readModelConfig(json: unknown, path: string): ModelConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  refuseUnsupported(json, path);
  const known = Object.keys(ARCHITECTURES).join(", ");
  if (typeof type !== "string" || !Object.hasOwn(ARCHITECTURES, type)) {
    throw new TypeError(
      `Cannot use ${path}: found ${type === undefined ? "no model_type" : `model_type ${quoteValue(type)}`}, ` +
        `wanted one of ${known}. ` +
        `Choose a model of a supported family`,
    );
  }
  const family = ARCHITECTURES[type]!;
  const config = family.readConfig(json, path);
  const { nLayers, nHeads, nKvHeads, dModel, dHead, rotary } = config;
  const wrong = (found: string): TypeError =>
    new TypeError(`Cannot use ${path}: found ${found}. The file is damaged or of another model`);
  if (nLayers > MAX_LAYERS) throw wrong(`${nLayers} layers, wanted at most ${MAX_LAYERS}`);
  if (!Number.isInteger(dHead)) throw wrong(`${nHeads} heads for a width of ${dModel}, wanted a divisor`);
  if (nHeads % nKvHeads !== 0) throw wrong(`${nHeads} heads on ${nKvHeads} key/value heads, wanted a multiple`);
  if (rotary && (rotary.dims % 2 !== 0 || rotary.dims > dHead || rotary.dims === 0)) {
    throw wrong(`${rotary.dims} turned features in heads of ${dHead}, wanted an even number of at most ${dHead}`);
  }
  refuseForeignFields(json as object, config, family, path);
  return config;
}
