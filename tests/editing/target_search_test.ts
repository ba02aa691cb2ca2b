import { assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { type SearchOptions, type SearchRow, searchTargets } from "../../src/editing/target_search.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Model } from "../../src/model/model.ts";
import { loadSmall } from "../model/model_files.ts";

const gpu = await Gpu.open();
const OPTIONS: SearchOptions = {
  layer: 3,
  sites: ["mlp"],
  steps: 6,
  lr: 0.3,
  clamp: 5,
  weightDecay: 0.1,
  klFactor: 0,
  stopBelow: 0.02,
  stopOn: "nll",
  switchFactor: false,
  scale: "mean",
  trace: true,
};
const ROW: SearchRow = {
  ids: [45, 268, 1478, 12, 900, 31],
  edits: [{ position: 3, slot: 0 }],
  labels: [{ position: 5, token: 77, weight: 1 }],
};

/** Negative log-probability of a row's only label with a vector added to its edited output, by a whole pass. */
async function nllWith(model: Model, row: SearchRow, layer: number, delta: Float32Array): Promise<number> {
  const { dModel } = model.config;
  const { position } = row.edits[0]!;
  const hook = `blocks.${layer}.hook_mlp_out`;
  using plain = model.forward(row.ids, { keep: [hook], logits: "none" });
  const output = (await plain.read(hook))[hook]!;
  delta.forEach((x, i) => output[position * dModel + i]! += x);
  using replacement = gpu.upload(output as Float32Array<ArrayBuffer>, [1, row.ids.length, dModel], "changed output");
  using cache = model.forward(row.ids, { patch: { [hook]: replacement } });
  const { logits } = await cache.read("logits");
  const max = logits!.reduce((a, b) => Math.max(a, b), -Infinity);
  return Math.log(logits!.reduce((sum, x) => sum + Math.exp(x - max), 0)) + max - logits![row.labels[0]!.token]!;
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`searchTargets() logs at each step the loss that a whole pass with that vector has, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const found = await searchTargets(model, [ROW], OPTIONS);
    assertEquals(found.steps.length, OPTIONS.steps);
    const { dModel } = model.config;
    for (const { step, nll } of found.steps) {
      const delta = found.trajectory!.subarray(step * dModel, (step + 1) * dModel);
      // The tolerance of a log-probability in the forward goldens, on either side.
      assertAlmostEquals(nll, await nllWith(model, ROW, OPTIONS.layer, delta), 6e-4);
    }
    assertLess(found.steps.at(-1)!.nll, found.steps[0]!.nll);
  });

  Deno.test(`searchTargets() has the gradient of that loss, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const found = await searchTargets(model, [ROW], { ...OPTIONS, steps: 2, weightDecay: 0 });
    const gradient = found.gradients!.subarray(0, model.config.dModel);
    const size = Math.hypot(...gradient);
    // Along the gradient itself: a central difference is off by a cubic term that doubling the step shows.
    const slope = async (step: number): Promise<number> => {
      const along = (sign: number): Float32Array => gradient.map((x) => sign * step * x / size);
      const above = await nllWith(model, ROW, OPTIONS.layer, along(1));
      return (above - await nllWith(model, ROW, OPTIONS.layer, along(-1))) / (2 * step);
    };
    const length = 0.02 * Math.hypot(...found.before.mlp!);
    const [fine, coarse] = [await slope(length), await slope(2 * length)];
    // Each loss is off by at most the forward tolerance; the cubic term is a third of the difference.
    assertLess(Math.abs(fine - size), Math.abs(fine - coarse) + 3e-4 / length);
    assertLess(3e-4 / length, 0.2 * size);
  });

  Deno.test(`searchTargets() is not moved by padding or by rows without weight, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const alone = await searchTargets(model, [ROW], OPTIONS);
    const longer: SearchRow = {
      ids: Array.from({ length: 23 }, (_, i) => 100 + 7 * i),
      edits: [{ position: 20, slot: 0 }],
      labels: [{ position: 22, token: 5, weight: 0 }],
    };
    const together = await searchTargets(model, [ROW, longer], { ...OPTIONS, scale: "first" });
    const wanted = await searchTargets(model, [ROW], { ...OPTIONS, scale: "first" });
    assertEquals(together.steps.length, wanted.steps.length);
    const difference = Math.hypot(...together.delta.mlp!.map((x, i) => x - wanted.delta.mlp![i]!));
    // The tolerance of vectors in the editing goldens.
    assertLess(difference, 5e-4 * Math.hypot(...wanted.delta.mlp!));
    assertEquals(alone.delta.mlp, wanted.delta.mlp);
  });
}

Deno.test("searchTargets() keeps vectors within their length and gives outputs of every edit", async () => {
  using model = await loadSmall(gpu);
  const row: SearchRow = {
    ...ROW,
    edits: [{ position: 3, slot: 0 }, { position: 5, slot: 1 }],
    labels: [{ position: 5, token: 77, weight: 0.5 }, { position: 4, token: 3, weight: 0.5 }],
  };
  const found = await searchTargets(model, [row], { ...OPTIONS, clamp: 0.1, sites: ["mlp"], lr: 1 });
  const { dModel } = model.config;
  const before = found.before.mlp!;
  assertEquals([before.length, found.delta.mlp!.length], [2 * dModel, 2 * dModel]);
  const lengths = [0, 1].map((i) => Math.hypot(...before.subarray(i * dModel, (i + 1) * dModel)));
  const limit = 0.1 * (lengths[0]! + lengths[1]!) / 2;
  for (const { norms } of found.steps.slice(1)) {
    norms.forEach((norm) => assertLess(Math.abs(norm - limit), 1e-5 * limit));
  }
});

Deno.test("searchTargets() ends at the first evaluation below its stop", async () => {
  using model = await loadSmall(gpu);
  const found = await searchTargets(model, [ROW], { ...OPTIONS, stopBelow: 1e6, steps: 60 });
  assertEquals(found.steps.length, 1);
  assertEquals(found.delta.mlp, new Float32Array(model.config.dModel));
});

Deno.test("searchTargets() scales the likelihood by its factor", async () => {
  using model = await loadSmall(gpu);
  const plain = await searchTargets(model, [ROW], { ...OPTIONS, steps: 2 });
  const scaled = await searchTargets(model, [ROW], { ...OPTIONS, steps: 2, nllFactor: 0.5 });
  assertEquals([plain.steps[0]!.factor, scaled.steps[0]!.factor], [1, 0.5]);
  assertEquals(scaled.steps[0]!.loss, 0.5 * plain.steps[0]!.nll);
  const width = model.config.dModel;
  const [half, whole] = [scaled.gradients!.subarray(0, width), plain.gradients!.subarray(0, width)];
  assertEquals(half, whole.map((x) => x / 2));
});

Deno.test("searchTargets() reports at each look and stops when it is told to", async () => {
  using model = await loadSmall(gpu);
  const seen: [number, number][] = [];
  await searchTargets(model, [ROW], {
    ...OPTIONS,
    steps: 14,
    stopBelow: 0,
    onProgress: (step, steps) => seen.push([step.step, steps]),
  });
  assertEquals(seen, [[5, 14], [11, 14], [13, 14]]);
  const controller = new AbortController();
  const failure = await assertRejects(() =>
    searchTargets(model, [ROW], {
      ...OPTIONS,
      steps: 60,
      stopBelow: 0,
      signal: controller.signal,
      onProgress: () => controller.abort(new DOMException("Stopped", "AbortError")),
    })
  );
  assertEquals((failure as Error).name, "AbortError");
});

Deno.test("searchTargets() refuses layers that there are not, and vectors that reach no label", async () => {
  using model = await loadSmall(gpu);
  await assertRejects(
    () => searchTargets(model, [ROW], { ...OPTIONS, layer: 6 }),
    RangeError,
    "Cannot search at layer 6: the model has layers 0 to 5",
  );
  await assertRejects(
    () => searchTargets(model, [ROW], { ...OPTIONS, layer: 5 }),
    RangeError,
    "Cannot search at layer 5, the last: no attention follows, so a vector at the edited token does not reach the " +
      "prediction at another. Choose an earlier layer or the last token of the prompt",
  );
  const atLabel: SearchRow = { ...ROW, edits: [{ position: 5, slot: 0 }] };
  assertEquals((await searchTargets(model, [atLabel], { ...OPTIONS, layer: 5, steps: 1 })).steps.length, 1);
});

Deno.test("searches leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
