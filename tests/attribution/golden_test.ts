import { assert, assertEquals } from "@std/assert";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { checkAttributionCase } from "../../src/evaluation/conformance/attribution.ts";
import { type AttributionCase, readAttributionCase } from "../../src/evaluation/conformance/attribution_case.ts";
import { holds } from "../../src/evaluation/conformance/checks.ts";
import { findTokenizer } from "../../src/evaluation/conformance/discover.ts";
import { GoldenTensors } from "../../src/evaluation/conformance/golden_tensors.ts";
import { checkInterventions, checkScores, checkTops } from "../../src/evaluation/conformance/score_checks.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { assertHold, caseFolder, CASES, withCase } from "../model/golden_case.ts";
import { readTensors } from "../model/model_files.ts";

const gpu = await Gpu.open();

for (const name of CASES) {
  Deno.test(`checkAttributionCase() finds every golden value of ${name} reproduced`, async () => {
    const { checks } = await checkAttributionCase(gpu, caseFolder(name));
    assertHold(checks, 500);
    for (const kind of ["score.", "bound.", "certified top", "lens.", "query.", "projection", "without", "contrast."]) {
      assert(checks.some(({ what }) => what.slice(3).startsWith(kind)), `no check of ${kind}`);
    }
  });
}

Deno.test("checkScores() and checkTops() fail on scores of another target", async () => {
  await withCase(gpu, "qwen3", async (model, file, golden) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target + 1);
    const checks = [
      ...await checkScores(prompt, "p0", golden),
      ...await checkTops(prompt, "p0", file.prompts[0]!, golden),
    ];
    const held = checks.filter(holds).map(({ what }) => what);
    // A score never exceeds its bound, whatever the target.
    assertEquals(held.filter((what) => !what.endsWith("above its bound")), []);
  });
});

/** A copy of the untied qwen3 golden with one tensor of its weights and one of its values changed, as f32 in place. */
async function withChangedCase(
  change: { head: (values: Float32Array) => void; logits?: (values: Float32Array) => void },
  body: (model: Model, file: AttributionCase, golden: GoldenTensors) => Promise<void>,
): Promise<void> {
  const folder = caseFolder("qwen3-untied");
  await withFolder(async (dir) => {
    const files = [["model", "lm_head.weight", change.head], ["tensors", "p0.logits", change.logits]] as const;
    for (const [file, name, changed] of files) {
      const tensors = await readTensors(`${folder}/${file}.safetensors`);
      const { buffer, byteOffset, byteLength } = tensors.get(name)!.data;
      changed?.(new Float32Array(buffer, byteOffset, byteLength / 4));
      await writeSafetensors(`${dir}/${file}.safetensors`, [...tensors.values()]);
    }
    await Deno.symlink(`${folder}/config.json`, `${dir}/config.json`);
    using model = await loadModel(gpu, dir, { tokenizer: await findTokenizer(folder) });
    using golden = await GoldenTensors.open(`${dir}/tensors.safetensors`);
    await body(model, await readAttributionCase(folder), golden);
  });
}

Deno.test("checkScores() lets rounding lift a score above its bound by as much as the logits are large", async () => {
  const larger = (values: Float32Array): void => values.forEach((value, i) => values[i] = 32 * value);
  await withChangedCase({ head: larger, logits: larger }, async (model, file, golden) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const checks = await checkScores(prompt, "p0", golden);
    assertHold(checks.filter(({ what }) => what.endsWith("above its bound")), 6);
  });
});

Deno.test("checkInterventions() takes either of two equally likely tokens for the likeliest, and no other", async () => {
  const { prompts: [prompt] } = await readAttributionCase(caseFolder("qwen3-untied"));
  const { ids, target, interventions } = prompt!;
  const { argmax } = interventions[0]!;
  const twin = argmax + 1;
  const twins = (head: Float32Array): void => {
    const width = 40;
    head.copyWithin(twin * width, argmax * width, (argmax + 1) * width);
  };
  await withChangedCase({ head: twins }, async (model) => {
    using scored = await ScoredPrompt.open(model, ids, target);
    for (const [named, held] of [[argmax, true], [twin, true], [argmax + 2, false]] as const) {
      const changed = { ...prompt!, interventions: [{ ...interventions[0]!, argmax: named }] };
      const check = (await checkInterventions(scored, "p0", changed)).find(({ what }) =>
        what.endsWith("likeliest token")
      );
      assertEquals(holds(check!), held, `token ${named}`);
    }
  });
});

Deno.test("checkAttributionCase() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
