import { assertEquals, assertLess } from "@std/assert";
import { attribute } from "../../src/attribution/attribute.ts";
import { readCorpus } from "../../src/editing/corpus.ts";
import { edit } from "../../src/editing/edit_model.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import { rowRanges } from "../../src/gpu/binding.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { loadFamily } from "../model/family_models.ts";
import { lastLogits } from "../model/model_files.ts";
import { planAt } from "./small_edits.ts";

/** Tokens of both models. */
const VOCAB = 2560;

/** Holds what these models bind whole, but no embedding: {@linkcode VOCAB} rows of 48 or 56 numbers. */
const LIMIT = 120_000;

const PROMPT = "The capital of France is";
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Tokyo" };
const TARGET = 77;
const HOOK = "blocks.1.hook_mlp_out";

/** What a model gives, by name, as numbers. */
async function everything(model: Model): Promise<Record<string, ArrayLike<number>>> {
  const ids = model.tokens(PROMPT);
  using gradients = model.gradients(ids, TARGET, [HOOK]);
  const { dMlp, nLayers } = model.config;
  const identity = Float64Array.from({ length: dMlp ** 2 }, (_, i) => Number(i % (dMlp + 1) === 0));
  const { neurons, certified } = await attribute(model, { prompt: PROMPT, target: TARGET, top: 10 });
  assertEquals(certified, true);
  const before = await lastLogits(model, ids);
  using change = await edit(model, [REQUEST], {
    method: "memit",
    moments: { get: () => Promise.resolve(identity) },
    plan: planAt([1], nLayers),
    spread: { steps: 5 },
  });
  change.apply();
  const after = await lastLogits(model, ids);
  change.revert();
  return {
    logits: before,
    gradient: (await gradients.read(HOOK))[HOOK]!,
    neurons: neurons.map(({ layer, neuron }) => layer * dMlp + neuron),
    scores: neurons.map(({ score }) => score),
    "edited logits": after,
  };
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));
}

for (const name of ["gpt2", "qwen2"]) {
  Deno.test(`a tied ${name} whose embedding no binding holds is run, attributed and edited as with any binding`, async () => {
    using wide = await Gpu.open();
    using narrow = await Gpu.open({ maxBindingBytes: LIMIT });
    const resultsOf = async (gpu: Gpu): Promise<Record<string, ArrayLike<number>>> => {
      using model = await loadFamily(gpu, name);
      const embedding = model.weights.get("embed.W_E");
      assertEquals(embedding.storage.id, model.weights.get("unembed.W_U").storage.id);
      assertEquals(rowRanges(embedding).length > 1, gpu === narrow);
      return await everything(model);
    };
    const want = await resultsOf(wide);
    const got = await resultsOf(narrow);
    assertEquals(got["neurons"], want["neurons"]);
    // The gradient sums VOCAB terms in another order; the five steps of the search each go on from it.
    const rounding = VOCAB * 2 ** -24;
    for (const [what, values] of Object.entries(want)) {
      const error = norm(Array.from(values, (x, i) => x - got[what]![i]!)) / norm(values);
      assertLess(error, rounding, what);
    }
    assertEquals([wide.memory().live, narrow.memory().live], [0, 0]);
  });
}

Deno.test("SecondMoments.compute() counts moments that no binding holds as it does with any binding", async () => {
  const documents = (await readCorpus("fixtures/world/corpus.txt")).slice(0, 30);
  const momentOf = async (gpu: Gpu): Promise<Float64Array> => {
    using model = await loadModel(gpu, "fixtures/world/world-gptj");
    return await (await SecondMoments.compute(model, { documents, layers: [2] })).get(2);
  };
  using wide = await Gpu.open();
  using narrow = await Gpu.open({ maxBindingBytes: 300_000 });
  const want = await momentOf(wide);
  assertLess(narrow.bindingBytes, 4 * want.length);
  const got = await momentOf(narrow);
  // Batches are smaller too, so sums have other partial sums.
  assertLess(norm(got.map((x, i) => x - want[i]!)), 1e-5 * norm(want));
  assertEquals([wide.memory().live, narrow.memory().live], [0, 0]);
});
