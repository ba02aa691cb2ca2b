/**
 * Small models for tests: the editing goldens as they are, and copies of them with something changed.
 *
 * @module
 */
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { withFolder } from "../checkpoint/files.ts";

/** Folder of the editing goldens. */
export const EDITING: string = new URL("../../fixtures/goldens/editing", import.meta.url).pathname;

/** Tokenizer of the editing goldens. */
export const TOKENIZER: string = `${EDITING}/tokenizer.json`;

/** Small models by family: six layers, dModel 48, random weights. */
export type Family = "gptj" | "qwen3";

/** Loads a small model; the caller disposes it. */
export async function loadSmall(gpu: Gpu, family: Family = "gptj"): Promise<Model> {
  return await loadModel(gpu, `${EDITING}/${family}`, { tokenizer: TOKENIZER });
}

/** What to change in a copy of a model. */
export interface ModelChange {
  /** Model to copy. Default: gptj. */
  family?: Family;
  /** Changes the parsed config. */
  config?: (config: Record<string, unknown>) => void;
  /** Changes the list of tensors by name. */
  tensors?: (tensors: Map<string, TensorToWrite>) => void;
}

/** Every tensor of a file, ready to be written again. */
export async function readTensors(path: string): Promise<Map<string, TensorToWrite>> {
  using file = await SafetensorsFile.open(path);
  const tensors = new Map<string, TensorToWrite>();
  for (const name of file.names) {
    const { dtype, shape } = file.info(name);
    tensors.set(name, { name, dtype, shape, data: await file.read(name) });
  }
  return tensors;
}

/** Runs `body` on the folder of a changed copy of a small model. */
export async function withChangedModel(change: ModelChange, body: (dir: string) => Promise<void>): Promise<void> {
  const source = `${EDITING}/${change.family ?? "gptj"}`;
  await withFolder(async (dir) => {
    const config = JSON.parse(await Deno.readTextFile(`${source}/config.json`));
    change.config?.(config);
    await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(config));
    await Deno.symlink(TOKENIZER, `${dir}/tokenizer.json`);
    if (change.tensors) {
      const tensors = await readTensors(`${source}/model.safetensors`);
      change.tensors(tensors);
      await writeSafetensors(`${dir}/model.safetensors`, [...tensors.values()]);
    } else {
      await Deno.symlink(`${source}/model.safetensors`, `${dir}/model.safetensors`);
    }
    await body(dir);
  });
}

/** Logits of the last position of one prompt. */
export async function lastLogits(model: Model, ids: readonly number[]): Promise<Float32Array> {
  using cache = model.forward(ids);
  return (await cache.read("logits"))["logits"]!;
}
