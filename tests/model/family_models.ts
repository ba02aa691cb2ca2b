/**
 * One small random model or more of every family of the architecture table.
 *
 * @module
 */
import type { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { caseFolder, CASES } from "./golden_case.ts";

/** Models with logits and gradients of transformers, in forms that the attribution goldens do not have. */
export const FAMILY_CASES: readonly string[] = [
  "gpt_neox-sequential",
  "llama-linear-biases",
  "llama3-scaled",
  "mistral-window",
  "phi3",
];

/** The tokenizer of all of them. */
export const FAMILY_TOKENIZER: string = caseFolder("tokenizer.json");

/** Folder of one of {@linkcode FAMILY_CASES}. */
export function familyFolder(name: string): string {
  return new URL(`../../fixtures/goldens/families/${name}`, import.meta.url).pathname;
}

/** Folders of all small models by name: those of the attribution goldens and {@linkcode FAMILY_CASES}. */
export const SMALL_FOLDERS: Readonly<Record<string, string>> = Object.fromEntries([
  ...CASES.map((name) => [name, caseFolder(name)]),
  ...FAMILY_CASES.map((name) => [name, familyFolder(name)]),
]);

/** Loads one of {@linkcode SMALL_FOLDERS}; the caller disposes it. */
export async function loadFamily(gpu: Gpu, name: string): Promise<Model> {
  return await loadModel(gpu, SMALL_FOLDERS[name]!, { tokenizer: FAMILY_TOKENIZER });
}
