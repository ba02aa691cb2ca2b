import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Captures } from "../../src/attribution/captures.ts";
import { contrastScores, layerContrasts } from "../../src/attribution/contrast.ts";
import { scoreLayers } from "../../src/attribution/layer_scores.ts";
import { queryLayersOfAttn, queryLayersOfFfn } from "../../src/attribution/query_scores.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { layerScores } from "../../src/attribution/scores.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { withCase } from "../model/golden_case.ts";

const gpu = await Gpu.open();

Deno.test("scoreLayers() is the mean over prompts of value and contrast scores", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    const prompts = [ids, file.prompts[1]!.ids];
    const alternatives = [target + 1, target + 2];
    const found = await scoreLayers(model, { prompts, target, alternatives });
    const { nLayers } = model.config;
    const want = { attn: new Array<number>(nLayers).fill(0), ffn: new Array<number>(nLayers).fill(0) };
    const contrast = structuredClone(want);
    for (const prompt of prompts) {
      using scored = await ScoredPrompt.open(model, prompt, target);
      const layers = layerScores(scored);
      const against = (await contrastScores(scored, alternatives)).layers;
      for (const half of ["attn", "ffn"] as const) {
        want[half].forEach((value, l) => want[half][l] = value + layers[half][l]! / 2);
        contrast[half].forEach((value, l) => contrast[half][l] = value + against[half][l]! / 2);
      }
    }
    assertEquals([found.value, found.contrast], [want, contrast]);
    assertEquals(found.query.length, nLayers);
    // Nothing above the last MLP reads it.
    assertEquals(found.query.at(-1), 0);
    assert(found.query.slice(0, -1).every((score) => Number.isFinite(score) && score !== 0));
  });
});

Deno.test("scoreLayers() by published scores takes hardly more memory for many alternatives than for few", async () => {
  using own = await Gpu.open();
  using model = await loadModel(own, "fixtures/world/world-qwen3");
  const { nLayers, dMlp } = model.config;
  const prompts = [model.tokens("The capital of France is")];
  const [target] = model.tokenizer.encode(" Paris", { continues: true });
  const peakWith = async (count: number): Promise<number> => {
    const alternatives = Array.from({ length: count + 1 }, (_, id) => id).filter((id) => id !== target);
    await scoreLayers(model, { prompts, target: target!, alternatives });
    return own.memory().peak;
  };
  const few = await peakWith(2);
  // Scores of single neurons would take a product of each alternative with each of them.
  assert(await peakWith(2000) - few < nLayers * dMlp * 2000 * Float32Array.BYTES_PER_ELEMENT / 4);
});

Deno.test("scoreLayers() starts query scores from the value neurons of the scoring asked for", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    const alternatives = [target + 1, target + 2];
    const { query } = await scoreLayers(model, { prompts: [ids], target, alternatives, scoring: "contrast" });
    using prompt = await ScoredPrompt.open(model, ids, target);
    const { ffnNeurons, attnNeurons } = await contrastScores(prompt, alternatives, { attnNeurons: true });
    const { nLayers, nHeads, dHead, dMlp } = model.config;
    const best = (scores: Float64Array): number[] =>
      Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!).slice(0, 100);
    const ffn = best(ffnNeurons).map((at) => ({
      layer: Math.floor(at / dMlp),
      neuron: at % dMlp,
      score: ffnNeurons[at]!,
    }));
    const sizes = [nHeads * dHead * ids.length, dHead * ids.length, ids.length];
    const attn = best(attnNeurons!).map((at) => ({
      layer: Math.floor(at / sizes[0]!),
      head: Math.floor(at / sizes[1]!) % nHeads,
      dim: Math.floor(at / sizes[2]!) % dHead,
      source: at % ids.length,
      score: attnNeurons![at]!,
    }));
    const ofFfn = await queryLayersOfFfn(prompt, ffn, { maxConditioning: 10 });
    const ofAttn = await queryLayersOfAttn(prompt, attn, { maxConditioning: 10 });
    const want = Array.from(
      { length: nLayers },
      (_, layer) => ofFfn.slots[2 + 2 * layer]! + ofAttn.slots[2 + 2 * layer]!,
    );
    assertEquals(query, want);
    const published = await scoreLayers(model, { prompts: [ids], target, alternatives });
    assertNotEquals(query, published.query);
  });
});

Deno.test("layerContrasts() gives the layers of contrastScores() from a forward pass alone", async () => {
  for (const name of ["gptj", "qwen3"] as const) {
    await withCase(gpu, name, async (model, file) => {
      const { ids, target } = file.prompts[0]!;
      const alternatives = [target + 1, target + 2];
      using prompt = await ScoredPrompt.open(model, ids, target);
      using captures = new Captures(model, ids);
      const { layers } = await contrastScores(prompt, alternatives);
      assertEquals(await layerContrasts(captures, target, alternatives), layers);
      await assertRejects(
        () => layerContrasts(captures, target, [target]),
        RangeError,
        `Cannot score a contrast with token ${target}: alternatives must be other tokens, got ${target}`,
      );
    });
  }
});

Deno.test("scoreLayers() and contrastScores() refuse what they cannot compare", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    await assertRejects(
      () => scoreLayers(model, { prompts: [], target, alternatives: [target + 1] }),
      RangeError,
      "Cannot score layers: found no prompts, wanted at least one",
    );
    using prompt = await ScoredPrompt.open(model, ids, target);
    await assertRejects(
      () => contrastScores(prompt, []),
      RangeError,
      "Cannot score a contrast: found no alternatives, wanted at least one token besides the target",
    );
    await assertRejects(
      () => contrastScores(prompt, [target + 1, target]),
      RangeError,
      `Cannot score a contrast with token ${target}: alternatives must be other tokens, got ${target + 1}, ${target}`,
    );
    await assertRejects(
      () => contrastScores(prompt, [model.config.vocab]),
      RangeError,
      `Cannot run the model on token ${model.config.vocab}`,
    );
  });
});

Deno.test("contrastScores() against one alternative is the difference of two logits, so scores of heads add up", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[1]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const found = await contrastScores(prompt, [target + 3], { attnNeurons: true });
    const { layers, heads, ffnNeurons, attnNeurons } = found;
    const { nLayers, nHeads, dHead, dMlp } = model.config;
    for (let layer = 0; layer < nLayers; layer++) {
      const sum = (values: Float64Array, width: number): [number, number] => {
        const part = values.subarray(layer * width, (layer + 1) * width);
        return [part.reduce((a, b) => a + b, 0), part.reduce((a, b) => a + Math.abs(b), 0)];
      };
      // Products of f32 vectors of width dModel, each part of the sum rounded on the GPU.
      const bound = (total: number): number => 2 * model.config.dModel * 2 ** -24 * (1 + total);
      const [attn, attnSize] = sum(heads, nHeads);
      const [features, featuresSize] = sum(attnNeurons!, nHeads * dHead * ids.length);
      assert(Math.abs(features - attn) <= bound(featuresSize));
      const [ffn, ffnSize] = sum(ffnNeurons, dMlp);
      assert(Math.abs(attn - layers.attn[layer]!) <= bound(attnSize));
      assert(Math.abs(ffn - layers.ffn[layer]!) <= bound(ffnSize));
    }
  });
});

Deno.test("contrastScores() counts an alternative as often as it is listed", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[1]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const [a, b] = [target + 1, target + 2];
    /** exp(-score): how an output changes the odds of the alternatives against the target. */
    const odds = async (...alternatives: number[]): Promise<number[]> => {
      const { attn, ffn } = (await contrastScores(prompt, alternatives)).layers;
      return [...attn, ...ffn].map((score) => Math.exp(-score));
    };
    const [ofA, ofB, ofBoth, twice] = [await odds(a), await odds(b), await odds(a, b), await odds(a, a, b)];
    for (const [at, found] of twice.entries()) {
      // Those of both are a mean of those of each, the weights being the probabilities at the base; twice a has twice the weight.
      const [one, other] = [ofA[at]!, ofB[at]!];
      const weight = (ofBoth[at]! - other) / (one - other);
      const doubled = 2 * weight / (1 + weight);
      const want = doubled * one + (1 - doubled) * other;
      assert(Math.abs(found - want) <= 8 * 2 ** -24 * Math.max(one, other), `${at}: ${found}, wanted ${want}`);
    }
    assertNotEquals(twice, ofBoth);
  });
});

Deno.test("scoreLayers() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
