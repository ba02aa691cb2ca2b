import { assert, assertEquals } from "@std/assert";
import { type AttributionCase, readAttributionCase } from "../../src/evaluation/conformance/attribution_case.ts";
import { type Check, holds } from "../../src/evaluation/conformance/checks.ts";
import { GoldenTensors } from "../../src/evaluation/conformance/golden_tensors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";

const FOLDER = new URL("../../fixtures/goldens/attribution", import.meta.url).pathname;

/** Attribution goldens, one a family and two of Qwen3. */
export const CASES: readonly string[] = ["gpt2", "gpt_neox", "gptj", "llama", "qwen2", "qwen3", "qwen3-untied"];

/** Folder of a golden case. */
export function caseFolder(name: string): string {
  return `${FOLDER}/${name}`;
}

/** Loads the model of a golden case and runs `body` with its values. */
export async function withCase(
  gpu: Gpu,
  name: string,
  body: (model: Model, file: AttributionCase, golden: GoldenTensors) => Promise<void>,
): Promise<void> {
  const dir = caseFolder(name);
  using model = await loadModel(gpu, dir, { tokenizer: `${FOLDER}/tokenizer.json` });
  using golden = await GoldenTensors.open(`${dir}/tensors.safetensors`);
  await body(model, await readAttributionCase(dir), golden);
}

/** Fails with the list of checks that do not hold, or if there are fewer than `least`. */
export function assertHold(checks: readonly Check[], least: number): void {
  assert(checks.length >= least, `found ${checks.length} checks, wanted at least ${least}`);
  const failed = checks.filter((check) => !holds(check));
  assertEquals(failed.map(({ what, error, tolerance }) => `${what}: ${error} above ${tolerance}`), []);
}
