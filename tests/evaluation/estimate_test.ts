import { assert, assertEquals } from "@std/assert";
import { PASSES_A_STEP } from "../../src/editing/edit_estimate.ts";
import { estimateStages, USUAL_SIZES } from "../../src/evaluation/estimate/stages.ts";
import { loadConfig } from "../../src/model/load_model.ts";

const RATES = { matmulGflops: 1000, rankKGflops: 500, choleskyGflops: 100, uploadGBs: 2 };
const config = await loadConfig("fixtures/configs/gpt-j-6b");
const stages = estimateStages(config, "f16", RATES);
const byName = new Map(stages.map((stage) => [stage.stage, stage]));

Deno.test("estimateStages() names the stages of an edit in their order", () => {
  assertEquals(stages.map(({ stage }) => stage), ["load", "plan", "second moments", "search", "keys and write"]);
});

Deno.test("estimateStages() loads GPT-J-6B as 6,050,882,784 halves, at the rate of uploads", () => {
  const { gpuBytes, seconds } = byName.get("load")!;
  assertEquals(gpuBytes, 2 * 6_050_882_784);
  assertEquals(seconds, 2 * 6_050_882_784 / 2e9);
});

Deno.test("estimateStages() counts second moments as a forward pass up to the layer and a product of keys", () => {
  // A block of GPT-J: four 4096 x 4096, two 4096 x 16384, and its vectors; layer 25 of 28.
  const block = 4 * 4096 ** 2 + 2 * 4096 * 16384 + 16384 + 4096 + 2 * 4096;
  const wanted = 2 * 36_000 * 26 * block / 1e12 + 2 * 36_000 * 16384 ** 2 / 5e11;
  assert(Math.abs(byName.get("second moments")!.seconds - wanted) <= 1e-9 * wanted);
  // C in float32 on the GPU is 1 GiB.
  assert(byName.get("second moments")!.gpuBytes > 2 ** 30);
});

Deno.test("estimateStages() counts a search step as the passes that estimateEdit() counts", () => {
  const seconds = (steps: number): number =>
    estimateStages(config, "f16", RATES, { ...USUAL_SIZES, steps }).find(({ stage }) => stage === "search")!.seconds;
  // Three layers of 28 are above layer 25; each of the 14 prompts gives one row of logits.
  const block = 4 * 4096 ** 2 + 2 * 4096 * 16384 + 16384 + 4096 + 2 * 4096;
  const pass = 2 * (14 * 16 * 3 * block + 14 * 50400 * 4096) / 1e12;
  const wanted = PASSES_A_STEP * pass;
  assert(Math.abs(seconds(61) - seconds(60) - wanted) <= 1e-9 * wanted);
});

Deno.test("estimateStages() grows with the work", () => {
  const more = { ...USUAL_SIZES, steps: 120, momentTokens: 72_000, supportPrompts: 28, preservedPrompts: 180 };
  const larger = new Map(estimateStages(config, "f16", RATES, more).map((stage) => [stage.stage, stage]));
  for (const stage of ["second moments", "search", "keys and write"]) {
    assert(larger.get(stage)!.seconds > byName.get(stage)!.seconds, stage);
  }
  assertEquals(larger.get("load"), byName.get("load"));
});
