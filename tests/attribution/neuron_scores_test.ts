import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type AttnNeuron,
  type FfnNeuron,
  rankAttnNeurons,
  rankFfnNeurons,
} from "../../src/attribution/neuron_scores.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";

const gpu = await Gpu.open();
const PROMPT = "The capital of France is";

async function withWorld(name: string, body: (model: Model, target: number) => Promise<void>): Promise<void> {
  using model = await loadModel(gpu, `fixtures/world/${name}`);
  await body(model, model.tokenizer.encode(" Paris")[0]!);
}

const ffnName = ({ layer, neuron }: FfnNeuron): string => `${layer}_${neuron}`;
const attnName = ({ layer, head, dim, source }: AttnNeuron): string => `${layer}_${head}_${dim}_${source}`;

for (const name of ["world-qwen3", "world-gptj"]) {
  Deno.test(`rankFfnNeurons() and rankAttnNeurons() certify the top of ${name} with few evaluations`, async () => {
    await withWorld(name, async (model, target) => {
      using prompt = await ScoredPrompt.open(model, model.tokens(PROMPT), target);
      const ffn = await rankFfnNeurons(prompt, { top: 100 });
      const allFfn = await rankFfnNeurons(prompt, { top: 100, full: true });
      // Scores are differences of log-probabilities near 0, equal in both ways of computing them up to rounding: neurons
      // may only be swapped where their scores are that close.
      const tie = 1e-5;
      for (const [i, { score }] of allFfn.neurons.entries()) assert(Math.abs(ffn.neurons[i]!.score - score) < tie);
      const cut = allFfn.neurons.at(-1)!.score;
      const clear = allFfn.neurons.filter(({ score }) => score > cut + tie).map(ffnName);
      const found = new Set(ffn.neurons.map(ffnName));
      assertEquals(clear.filter((neuron) => !found.has(neuron)), []);
      const { nLayers, dMlp } = model.config;
      assertEquals([ffn.certified, ffn.candidates, allFfn.evaluated], [true, nLayers * dMlp, nLayers * dMlp]);
      assert(ffn.evaluated <= 164, `scored ${ffn.evaluated}`);

      const attn = await rankAttnNeurons(prompt, { top: 20 });
      const allAttn = await rankAttnNeurons(prompt, { top: 20, full: true });
      const last = allAttn.neurons.at(-1)!.score;
      const names = new Set(attn.neurons.map(attnName));
      const missing = allAttn.neurons.filter((neuron) => neuron.score > last + tie && !names.has(attnName(neuron)));
      assertEquals(missing, []);
      assert(attn.evaluated <= 84, `scored ${attn.evaluated}`);
    });
  });
}

Deno.test("rankFfnNeurons() labels the bottom approximate unless all are scored, and finds most of it", async () => {
  await withWorld("world-qwen3", async (model, target) => {
    using prompt = await ScoredPrompt.open(model, model.tokens(PROMPT), target);
    const bottom = await rankFfnNeurons(prompt, { top: 100, order: "bottom" });
    const full = await rankFfnNeurons(prompt, { top: 100, order: "bottom", full: true });
    assertEquals([bottom.certified, bottom.evaluated, full.certified], [false, 100, true]);
    const scores = full.neurons.map(({ score }) => score);
    assertEquals(scores, scores.toSorted((a, b) => a - b));
    const truth = new Set(full.neurons.map(ffnName));
    const recall = bottom.neurons.filter((neuron) => truth.has(ffnName(neuron))).length / 100;
    assert(recall > 0.8, `recall ${recall}`);
  });
});

Deno.test("rankFfnNeurons() scores no more neurons in one submit than the options allow, however many are wanted", async () => {
  await withWorld("world-qwen3", async (model, target) => {
    using prompt = await ScoredPrompt.open(model, model.tokens(PROMPT), target);
    const productsAtOnce = 64 * model.config.dModel * model.config.vocab;
    for (const order of ["top", "bottom"] as const) {
      const wanted = await rankFfnNeurons(prompt, { top: 200, order });
      const before = gpu.stats().submits;
      const found = await rankFfnNeurons(prompt, { top: 200, order, productsAtOnce });
      const submits = gpu.stats().submits - before;
      assert(submits >= Math.ceil(found.evaluated / 64), `${submits} submits for ${found.evaluated} neurons`);
      // As above: the same up to the rounding of two ways of computing.
      for (const [i, { score }] of found.neurons.entries()) {
        assert(Math.abs(score - wanted.neurons[i]!.score) < 1e-5);
      }
    }
  });
});

Deno.test("rankFfnNeurons() refuses a top that is no positive whole number", async () => {
  await withWorld("world-qwen3", async (model, target) => {
    using prompt = await ScoredPrompt.open(model, model.tokens(PROMPT), target);
    for (const top of [0, 1.5]) {
      await assertRejects(
        () => rankFfnNeurons(prompt, { top }),
        RangeError,
        `Cannot rank neurons: top is ${top}, wanted a whole number from 1 up`,
      );
    }
  });
});

Deno.test("ScoredPrompt.open() submits and reads once, and refuses a target outside the vocabulary", async () => {
  await withWorld("world-qwen3", async (model, target) => {
    const ids = model.tokens(PROMPT);
    {
      using _warm = await ScoredPrompt.open(model, ids, target);
    }
    const before = gpu.stats();
    using prompt = await ScoredPrompt.open(model, ids, target);
    assertEquals([gpu.stats().submits - before.submits, gpu.stats().reads - before.reads], [1, 1]);
    assertEquals(prompt.pos, ids.length);
    await assertRejects(
      () => ScoredPrompt.open(model, ids, model.config.vocab),
      RangeError,
      `Cannot run the model on token ${model.config.vocab}: the vocabulary has ids 0 to ${model.config.vocab - 1}`,
    );
    await assertRejects(() => ScoredPrompt.open(model, [], target), RangeError, "empty prompt");
  });
});

Deno.test("rankFfnNeurons() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
