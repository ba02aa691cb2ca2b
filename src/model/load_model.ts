import { openCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { FileError } from "../checkpoint/file_error.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { readModelConfig } from "./architectures.ts";
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
  const path = `${dir}/config.json`;
  const config = readModelConfig(await readConfigFile(path), path);
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

async function readConfigFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(path, `Cannot read ${path}: ${detail}. Fetch the model's folder again`, { cause });
  }
}
