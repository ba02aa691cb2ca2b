import { dirname } from "node:path";
import { type Conversion, conversionsOf } from "../checkpoint/load_report.ts";
import { type ModelFiles, openModelFiles, readConfig } from "../checkpoint/open_model.ts";
import { PACKED_FORMATS } from "../checkpoint/weight_source.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type ModelConfig, readModelConfig } from "./architectures.ts";
import { Model } from "./model.ts";
import { Tokenizer } from "./tokenizer.ts";
import { tokenizerFromGguf } from "./tokenizer_gguf.ts";
import { checkWeights, isLoadable, Weights } from "./weights.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** `tokenizer.json` or its folder. Default: that of the model. */
  tokenizer?: string;
  /** Called while weights are uploaded, with bytes so far and in all. */
  onProgress?: (bytes: number, total: number) => void;
  /** Called before weights are uploaded, with the formats that are rewritten or widened; not called if there are none. */
  onConversions?: (conversions: readonly Conversion[]) => void;
  /** Stops before the next piece of a weight; the GPU then keeps nothing of the model. */
  signal?: AbortSignal | undefined;
}

/**
 * Loads a model. Weights keep their stored type where the GPU can read it.
 *
 * @param path Folder in Hugging Face layout (config.json, safetensors, tokenizer.json), `.gguf` file, or folder with
 * exactly one `.gguf` and no safetensors.
 * @throws {FileError} If a file is missing or damaged; {TypeError} if the family is unknown or config and weights
 * disagree; {RangeError} if the model does not fit the device (estimated before anything is loaded).
 */
export async function loadModel(gpu: Gpu, path: string, options: LoadOptions = {}): Promise<Model> {
  using files = await openModelFiles(path, PACKED_FORMATS.filter(isLoadable));
  const config = readModelConfig(files.config, files.configPath);
  const tokenizer = await loadTokenizer(files, options.tokenizer);
  if (tokenizer.size > config.vocab) {
    throw new TypeError(
      `Cannot load ${path}: the tokenizer has ${tokenizer.size} tokens, the model ${config.vocab}. ` +
        `The tokenizer belongs to another model`,
    );
  }
  // By the headers alone: the hash reads every weight, which takes minutes for a model of billions of parameters.
  const checked = checkWeights(files.weights, config, gpu);
  const conversions = conversionsOf(files.weights);
  if (conversions.length > 0) options.onConversions?.(conversions);
  const hash = await files.weights.hash(options.signal);
  const weights = await Weights.load(gpu, files.weights, checked, options);
  return new Model(gpu, { dir: path, config, weights, tokenizer, hash });
}

/**
 * Reads the config of a model by the record of its family; weights need not be there.
 *
 * @param path Folder with a config.json, `.gguf` file, or folder with exactly one.
 * @throws {FileError} If it cannot be read; {TypeError} if the family is unknown or a field has an unsupported value.
 */
export async function loadConfig(path: string): Promise<ModelConfig> {
  const { config, configPath } = await readConfig(path);
  return readModelConfig(config, configPath);
}

/** A named tokenizer comes first; a GGUF file has its own inside. */
async function loadTokenizer({ configPath, metadata }: ModelFiles, path?: string): Promise<Tokenizer> {
  if (path === undefined && metadata !== null) return tokenizerFromGguf(metadata, configPath);
  return await Tokenizer.load(path ?? dirname(configPath));
}
