import { assert, assertEquals } from "@std/assert";
import { PASSES_A_STEP } from "../../src/editing/edit_estimate.ts";
import { estimateStages, unfitTensors, USUAL_SIZES } from "../../src/evaluation/estimate/stages.ts";
import { loadConfig } from "../../src/model/load_model.ts";

const RATES = { matmulGflops: 1000, rankKGflops: 500, choleskyGflops: 100, cpuCholeskyGflops: 2, uploadGBs: 2 };
const DEVICE = { rates: RATES, bindingBytes: 2 ** 31, bufferBytes: 2 ** 31 };
const config = await loadConfig("fixtures/configs/gpt-j-6b");
const stages = estimateStages(config, "f16", DEVICE);
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
    estimateStages(config, "f16", DEVICE, { ...USUAL_SIZES, steps }).find(({ stage }) => stage === "search")!.seconds;
  // Three layers of 28 are above layer 25; each of the 14 prompts gives one row of logits.
  const block = 4 * 4096 ** 2 + 2 * 4096 * 16384 + 16384 + 4096 + 2 * 4096;
  const pass = 2 * (14 * 16 * 3 * block + 14 * 50400 * 4096) / 1e12;
  const wanted = PASSES_A_STEP * pass;
  assert(Math.abs(seconds(61) - seconds(60) - wanted) <= 1e-9 * wanted);
});

Deno.test("estimateStages() grows with the work", () => {
  const more = { ...USUAL_SIZES, steps: 120, momentTokens: 72_000, supportPrompts: 28, preservedPrompts: 180 };
  const larger = new Map(estimateStages(config, "f16", DEVICE, more).map((stage) => [stage.stage, stage]));
  for (const stage of ["second moments", "search", "keys and write"]) {
    assert(larger.get(stage)!.seconds > byName.get(stage)!.seconds, stage);
  }
  assertEquals(larger.get("load"), byName.get("load"));
});

Deno.test("estimateStages() counts both halves of a second moment, and a factor on the CPU, under a small binding", () => {
  const small = { ...DEVICE, bindingBytes: 2 ** 27 };
  const under = new Map(estimateStages(config, "f16", small).map((stage) => [stage.stage, stage]));
  const more = (stage: string): number => under.get(stage)!.seconds - byName.get(stage)!.seconds;
  const products = 2 * 36_000 * 16384 ** 2 / 5e11;
  assert(Math.abs(more("second moments") - products) <= 1e-9 * products);
  const factor = 16384 ** 3 / 3 * (1 / 2e9 - 1 / 1e11);
  assert(Math.abs(more("keys and write") - factor) <= 1e-9 * factor);
});

Deno.test("unfitTensors() names what a device does not hold, and why", () => {
  assertEquals(unfitTensors(stages, DEVICE), []);
  // Everything that is larger than 128 MiB in GPT-J-6B is bound by ranges of rows or stays on the computer.
  const small = { ...DEVICE, bindingBytes: 2 ** 27 };
  assertEquals(unfitTensors(estimateStages(config, "f16", small), small), []);
  // 256 MiB, the least that WebGPU guarantees of a buffer, are too few for C and for the embedding.
  const found = unfitTensors(estimateStages(config, "f16", small), { ...small, bufferBytes: 2 ** 28 });
  assertEquals(
    found,
    [
      { stage: "load", name: "weight embed.W_E", bytes: 2 * 50400 * 4096, byRows: true },
      { stage: "second moments", name: "second moment [16384, 16384] f32", bytes: 2 ** 30, byRows: true },
    ].map((tensor) => ({ ...tensor, holder: "buffer", limit: 2 ** 28 })),
  );
  const tiny = unfitTensors(stages, { bindingBytes: 2 ** 22, bufferBytes: 2 ** 31 });
  assertEquals(tiny.map(({ stage, name, holder }) => [stage, name, holder]), [
    ["plan", "logits [57, 50400] f32", "binding"],
    ["search", "activation [224, 16384] f32", "binding"],
    ["keys and write", "factor of the second moment [16384, 16384] f32", "binding"],
  ]);
});
