import { openCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { FileError } from "../checkpoint/file_error.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type ModelConfig, readModelConfig } from "./architectures.ts";
import { Model } from "./model.ts";
import { Tokenizer } from "./tokenizer.ts";
import { Weights } from "./weights.ts";

/** Options of {@linkcode loadModel}. */
export interface LoadOptions {
  /** `tokenizer.json` or its folder. Default: the model's folder. */
  tokenizer?: string;
  /** Called while weights are uploaded, with bytes so far and in all. */
  onProgress?: (bytes: number, total: number) => void;
}

/**
 * Loads a model folder in Hugging Face layout (config.json, safetensors, tokenizer.json). Weights keep their stored type.
 *
 * @throws {FileError} If a file is missing or damaged; {TypeError} if the family is unknown or config and weights
 * disagree; {RangeError} if the model does not fit the device (estimated before anything is loaded).
 */
export async function loadModel(gpu: Gpu, dir: string, options: LoadOptions = {}): Promise<Model> {
  using checkpoint = await openCheckpoint(dir);
  const config = await loadConfig(`${dir}/config.json`);
  const tokenizer = await Tokenizer.load(options.tokenizer ?? dir);
  if (tokenizer.size > config.vocab) {
    throw new TypeError(
      `Cannot load ${dir}: the tokenizer has ${tokenizer.size} tokens, the model ${config.vocab}. ` +
        `The tokenizer belongs to another model`,
    );
  }
  const hash = await checkpoint.hash();
  const weights = await Weights.load(gpu, checkpoint, config, options.onProgress);
  return new Model(gpu, { dir, config, weights, tokenizer, hash });
}

/**
 * Reads a config.json by the record of its family.
 *
 * @throws {FileError} If it cannot be read; {TypeError} if the family is unknown or a field has an unsupported value.
 */
export async function loadConfig(path: string): Promise<ModelConfig> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(path, `Cannot read ${path}: ${detail}. Fetch the model's folder again`, { cause });
  }
  return readModelConfig(json, path);
}
