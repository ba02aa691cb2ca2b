import { assert, assertEquals } from "@std/assert";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { checkAttributionCase } from "../../src/evaluation/conformance/attribution.ts";
import { holds } from "../../src/evaluation/conformance/checks.ts";
import { checkScores, checkTops } from "../../src/evaluation/conformance/score_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { assertHold, caseFolder, CASES, withCase } from "../model/golden_case.ts";

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

Deno.test("checkAttributionCase() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
