/**
 * Checks an attribution golden: forward pass, gradients, scores, rankings, queries, lens, contrast, interventions.
 *
 * @module
 */
import { basename, join, resolve } from "node:path";
import { ScoredPrompt } from "../../attribution/scored_prompt.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { loadModel } from "../../model/load_model.ts";
import { readAttributionCase, readContrastCase } from "./attribution_case.ts";
import type { Check, CheckedCase } from "./checks.ts";
import { findTokenizer } from "./discover.ts";
import { checkForward, checkGradients } from "./forward_checks.ts";
import { GoldenTensors } from "./golden_tensors.ts";
import { checkQueries } from "./query_checks.ts";
import {
  checkContrast,
  checkInterventions,
  checkLens,
  checkProjections,
  checkScores,
  checkTops,
} from "./score_checks.ts";

/**
 * Runs every comparison of one attribution golden.
 *
 * @param dir Folder with model, `case.json` and `tensors.safetensors`; the contrast files are optional, but
 * one of them needs the other.
 * @throws {FileError} If a file is missing or damaged.
 */
export async function checkAttributionCase(gpu: Gpu, dir: string): Promise<CheckedCase> {
  const file = await readAttributionCase(dir);
  using model = await loadModel(gpu, dir, { tokenizer: await findTokenizer(dir) });
  using golden = await GoldenTensors.open(join(dir, "tensors.safetensors"));
  const checks: Check[] = [
    ...await checkForward(model, file, golden),
    ...await checkGradients(model, file, golden),
  ];
  for (const [i, prompt] of file.prompts.entries()) {
    const at = `p${i}`;
    using scored = await ScoredPrompt.open(model, prompt.ids, prompt.target);
    checks.push(
      ...await checkScores(scored, at, golden),
      ...await checkTops(scored, at, prompt, golden),
      ...await checkLens(scored, at, prompt, golden),
      ...await checkQueries(scored, at, prompt, golden),
      ...await checkProjections(scored, at, prompt),
      ...await checkInterventions(scored, at, prompt),
      ...await checkContrastOf(scored, i, dir),
    );
  }
  return { name: basename(resolve(dir)), checks };
}

async function checkContrastOf(scored: ScoredPrompt, i: number, dir: string): Promise<Check[]> {
  const files = await Array.fromAsync(Deno.readDir(dir), ({ name }) => name);
  if (!files.some((name) => name === "contrast.json" || name === "contrast.safetensors")) return [];
  using golden = await GoldenTensors.open(join(dir, "contrast.safetensors"));
  const { prompts } = await readContrastCase(dir);
  return await checkContrast(scored, `p${i}`, prompts[i]!.alternatives, golden);
}
