import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { contrastScores, layerContrasts } from "../../src/attribution/contrast.ts";
import { Captures } from "../../src/attribution/captures.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import { searchTargets } from "../../src/editing/target_search.ts";
import { GpuMemoryError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { captureRows } from "../../src/model/capture.ts";
import { completeAll } from "../../src/model/complete_all.ts";
import type { Pace } from "../../src/model/decoding_pace.ts";
import { generate } from "../../src/model/generate.ts";
import type { Model } from "../../src/model/model.ts";
import { teacherForce } from "../../src/model/teacher_forcing.ts";
import { loadSmall } from "../model/model_files.ts";
import { randomEdit, readOutputs } from "./small_edits.ts";

const IDS = [45, 268, 1478];
/** Three steps a read-back, two runs under way. */
const PACE: Pace = { steps: 3, arrived: () => {} };

const WORK: Record<string, (model: Model) => Promise<unknown>> = {
  "generate()": (model) => Array.fromAsync(generate(model, IDS, { maxTokens: 5 }, PACE)),
  "generate() with a temperature": (model) => Array.fromAsync(generate(model, IDS, { maxTokens: 2, temperature: 1 })),
  "completeAll()": (model) => completeAll(model, ["a", "b c"], { maxTokens: 1 }),
  "teacherForce()": (model) => teacherForce(model, [{ prompt: IDS, target: [5, 6] }]),
  "captureRows()": (model) =>
    captureRows(model, [{ ids: IDS, positions: [1, 2] }], ["blocks.2.mlp.hook_post", "blocks.3.hook_mlp_out"]),
  "gradients()": async (model) => {
    using found = model.gradients(IDS, 5, ["blocks.1.hook_mlp_out", "blocks.2.mlp.W_out"]);
    await found.read("blocks.1.hook_mlp_out");
  },
  "layerContrasts()": async (model) => {
    using captures = new Captures(model, IDS);
    await layerContrasts(captures, 5, [6, 7]);
  },
  "contrastScores()": async (model) => {
    using prompt = await ScoredPrompt.open(model, IDS, 5);
    await contrastScores(prompt, [6, 7]);
  },
  "SecondMoments.compute()": (model) => SecondMoments.compute(model, { documents: ["Alice is here"], layers: [1, 2] }),
  "searchTargets()": (model) =>
    searchTargets(model, [
      { ids: IDS, edits: [{ position: 1, slot: 0 }], labels: [{ position: 2, token: 5, weight: 1 }] },
      { ids: [1, 2], edits: [{ position: 1, slot: 0 }], labels: [], keepAt: 1 },
    ], {
      layer: 3,
      sites: ["attn", "mlp"],
      steps: 1,
      lr: 0.3,
      clamp: 5,
      weightDecay: 0.1,
      klFactor: 0.1,
      stopBelow: 0.02,
      stopOn: "nll",
      switchFactor: false,
      scale: "mean",
    }),
};

/** Tensors from one that is refused to the next: the six layers repeat themselves, so that all places are met. */
const STRIDE = 5;

/** Counts the tensors that `gpu` makes, and refuses one of them. */
class Allocations {
  #made = 0;
  #refused = Infinity;

  constructor(gpu: Gpu) {
    for (const name of ["tensor", "zeros", "upload"] as const) {
      const original = gpu[name].bind(gpu) as (...args: unknown[]) => unknown;
      const counted = (...args: unknown[]): unknown => {
        if (this.#made++ === this.#refused) throw new GpuMemoryError("no memory is left");
        return original(...args);
      };
      Object.defineProperty(gpu, name, { value: counted });
    }
  }

  /** Runs `work` with the tensor of this number refused, and gives the number of tensors that were asked for. */
  async during(work: () => Promise<unknown>, refused: number = Infinity): Promise<number> {
    [this.#made, this.#refused] = [0, refused];
    try {
      await work();
    } finally {
      this.#refused = Infinity;
    }
    return this.#made;
  }
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`Work that runs out of memory at any tensor gives back all that it took, in ${family}`, async () => {
    using gpu = await Gpu.open();
    using model = await loadSmall(gpu, family);
    const allocations = new Allocations(gpu);
    for (const [name, work] of Object.entries(WORK)) {
      // Tables of positions stay with the model.
      await work(model);
      const before = gpu.memory();
      const count = await allocations.during(() => work(model));
      assertGreater(count, 20, name);
      for (let refused = 0; refused < count; refused += STRIDE) {
        await assertRejects(() => allocations.during(() => work(model), refused), GpuMemoryError, "no memory is left");
        assertEquals(gpu.memory().owners, before.owners, `${name}, tensor ${refused} of ${count}`);
      }
      assertEquals(gpu.memory().live, before.live, name);
    }
  });
}

Deno.test("An edit that runs out of memory as it is applied or reverted leaves every weight as it was", async () => {
  using gpu = await Gpu.open();
  using model = await loadSmall(gpu);
  using first = randomEdit(model, "first", [1, 2, 3]);
  using second = randomEdit(model, "second", [1, 2, 4]);
  second.apply();
  first.apply();
  second.revert();
  const allocations = new Allocations(gpu);
  // Over a change of the same layers, which is laid anew as the other goes.
  for (const [change, applied] of [[() => second.apply(), false], [() => second.revert(), true]] as const) {
    const state = async () => [second.applied, first.applied, await readOutputs(model), gpu.memory().owners];
    const before = await state();
    const count = await allocations.during(() => {
      change();
      return Promise.resolve();
    });
    if (applied) second.apply();
    else second.revert();
    assertEquals(await state(), before);
    for (let refused = 0; refused < count; refused++) {
      await assertRejects(() => allocations.during(() => Promise.resolve().then(change), refused), GpuMemoryError);
      assertEquals(await state(), before, `tensor ${refused} of ${count}`);
    }
    change();
  }
  assertEquals([first.applied, second.applied], [true, false]);
});
