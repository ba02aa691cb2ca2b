/**
 * The architecture table: one record per model family. The forward pass reads the record; there is no code per family
 * and no guess from a shape.
 *
 * @module
 */
import { gptj } from "./families/gptj.ts";
import { qwen3 } from "./families/qwen3.ts";

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
  /** Longest context in tokens. */
  maxPos: number;
  /** Epsilon of every norm. */
  eps: number;
  /** Rotary embedding: features turned per head and base of the frequencies. */
  rotary: { dims: number; theta: number };
  /** Activation of the MLP. */
  activation: "gelu_tanh" | "gelu_exact" | "silu";
  /** Whether the unembedding is the embedding. */
  tied: boolean;
}

/** How a matrix lies in the file: `out_in` rows are outputs (Linear), `in_out` rows are inputs (Conv1D). */
export type WeightLayout = "out_in" | "in_out" | "vector";

/** Where a weight is found and how it lies. */
export interface WeightSpec {
  /** Name in the checkpoint; `{}` stands for the layer. */
  name: string;
  /** Stored shape. */
  shape: (config: ModelConfig) => number[];
  /** Layout of the stored matrix. */
  layout: WeightLayout;
}

/** One model family. */
export interface Architecture {
  /** Norm of every block and of the end. */
  norm: "layer" | "rms";
  /** Parallel blocks add attention and MLP of the same input; sequential ones feed the MLP with attention's result. */
  parallel: boolean;
  /** Turned features: neighbours (0,1) (2,3) or halves (0,n/2) (1,n/2+1). */
  rotaryStyle: "pairs" | "halves";
  /** Whether the MLP multiplies an activated gate with a linear branch. */
  gated: boolean;
  /** Whether queries and keys are RMS-normed per head. */
  qkNorm: boolean;
  /** Weights of one block by TransformerLens name, without `blocks.{}.`. */
  block: Readonly<Record<string, WeightSpec>>;
  /** Weights outside the blocks by TransformerLens name; `unembed.W_U` is left out of tied models. */
  outer: Readonly<Record<string, WeightSpec>>;
  /** Checks a parsed config.json and takes the sizes from it. @throws {TypeError} Names the field, the found and the wanted. */
  readConfig: (json: unknown, path: string) => ModelConfig;
}

/** Families by `model_type`. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = { gptj, qwen3 };

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
  const known = Object.keys(ARCHITECTURES).join(", ");
  if (typeof type !== "string" || !Object.hasOwn(ARCHITECTURES, type)) {
    throw new TypeError(
      `Cannot use ${path}: found ${type === undefined ? "no model_type" : `model_type ${JSON.stringify(type)}`}, ` +
        `wanted one of ${known}. ` +
        `Choose a model of a supported family`,
    );
  }
  const config = ARCHITECTURES[type]!.readConfig(json, path);
  const { nHeads, nKvHeads, dModel, dHead, rotary } = config;
  const wrong = (found: string): TypeError =>
    new TypeError(`Cannot use ${path}: found ${found}. The file is damaged or of another model`);
  if (!Number.isInteger(dHead)) throw wrong(`${nHeads} heads for a width of ${dModel}, wanted a divisor`);
  if (nHeads % nKvHeads !== 0) throw wrong(`${nHeads} heads on ${nKvHeads} key/value heads, wanted a multiple`);
  if (rotary.dims % 2 !== 0 || rotary.dims > dHead) {
    throw wrong(`${rotary.dims} turned features in heads of ${dHead}, wanted an even number of at most ${dHead}`);
  }
  return config;
}
