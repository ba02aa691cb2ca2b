import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  predictUnder,
  zeroAttnNeurons,
  zeroFfnNeurons,
  zeroHeads,
  zeroSources,
} from "../../src/attribution/interventions.ts";
import { randomAttnNeurons, randomFfnNeurons } from "../../src/attribution/random_control.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { vectorElements } from "../../src/attribution/weight_vectors.ts";
import { LOGIT_TOLERANCE } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withCase } from "../model/golden_case.ts";

const gpu = await Gpu.open();

Deno.test("zeroHeads() is zeroing every neuron of the head, and zeroSources() that of every source", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const { dHead } = model.config;
    const dims = Array.from({ length: dHead }, (_, dim) => ({ layer: 1, head: 2, dim, source: 0 }));
    const sources = ids.map((_, source) => ({ layer: 1, head: 2, source }));
    const plain = await predictUnder(model, ids, target);
    for (const scope of ["allPositions", "lastOnly"] as const) {
      const heads = await predictUnder(model, ids, target, zeroHeads([{ layer: 1, head: 2 }], scope));
      const neurons = await predictUnder(model, ids, target, await zeroAttnNeurons(prompt, dims, scope));
      const pattern = await predictUnder(model, ids, target, zeroSources(sources, scope));
      assertEquals(heads, neurons);
      // The same zeros, but through the unfused attention of the other heads: rounding of a forward pass.
      assertAlmostEquals(pattern.logProb, heads.logProb, LOGIT_TOLERANCE);
      assertEquals(Math.abs(heads.logProb - plain.logProb) > 10 * LOGIT_TOLERANCE, true);
    }
  });
});

Deno.test("zeroSources() is taking what the source brings from each neuron of the head", async () => {
  await withCase(gpu, "gptj", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const dims = Array.from({ length: model.config.dHead }, (_, dim) => ({ layer: 2, head: 1, dim, source: 1 }));
    for (
      const [scope, one] of [["allPositions", "allPositionsOneSource"], ["lastOnly", "lastOnlyOneSource"]] as const
    ) {
      const pattern = await predictUnder(model, ids, target, zeroSources([{ layer: 2, head: 1, source: 1 }], scope));
      const neurons = await predictUnder(model, ids, target, await zeroAttnNeurons(prompt, dims, one));
      assertAlmostEquals(neurons.logProb, pattern.logProb, LOGIT_TOLERANCE);
    }
  });
});

Deno.test("zeroFfnNeurons() of every neuron is an MLP that gives its bias alone", async () => {
  await withCase(gpu, "gptj", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    const all = Array.from({ length: model.config.dMlp }, (_, neuron) => ({ layer: 0, neuron }));
    using bias = vectorElements(model, "blocks.0.mlp.b_out");
    const patch = zeroFfnNeurons(all);
    using cache = model.forward(ids, { patch, keep: ["blocks.0.hook_mlp_out"] });
    const found = await cache.read("blocks.0.hook_mlp_out");
    const [want] = await gpu.stream.read(bias);
    assertEquals([...found["blocks.0.hook_mlp_out"]!], ids.flatMap(() => [...want]));
    assertEquals(Number.isFinite((await predictUnder(model, ids, target, patch)).logProb), true);
  });
});

Deno.test("zeroFfnNeurons() at the last position refuses several prompts at once", async () => {
  await withCase(gpu, "qwen3", (model, file) => {
    assertThrows(
      () =>
        model.forward(file.prompts.map(({ ids }) => ids), {
          patch: zeroFfnNeurons([{ layer: 0, neuron: 1 }], "lastOnly"),
        }),
      RangeError,
      "Cannot change the last position of 2 prompts at once: rows may be padded. Run one prompt at a time",
    );
    return Promise.resolve();
  });
});

Deno.test("randomFfnNeurons() and randomAttnNeurons() match layers, avoid the given neurons and repeat by seed", async () => {
  await withCase(gpu, "qwen3", (model) => {
    const ffn = [{ layer: 0, neuron: 1 }, { layer: 2, neuron: 5 }, { layer: 2, neuron: 6 }];
    const control = randomFfnNeurons(model.config, ffn, 7);
    assertEquals(control.map(({ layer }) => layer), [0, 2, 2]);
    assertEquals(control.filter((c) => ffn.some((f) => f.layer === c.layer && f.neuron === c.neuron)), []);
    assertEquals(control[1]!.neuron === control[2]!.neuron, false);
    assertEquals(randomFfnNeurons(model.config, ffn, 7), control);
    assertEquals(JSON.stringify(randomFfnNeurons(model.config, ffn, 8)) === JSON.stringify(control), false);
    const attn = [{ layer: 1, head: 3, dim: 4, source: 2 }, { layer: 1, head: 0, dim: 4, source: 0 }];
    const others = randomAttnNeurons(model.config, attn, 7);
    assertEquals(others.map(({ layer, source }) => [layer, source]), [[1, 2], [1, 0]]);
    const half = Array.from({ length: model.config.dMlp / 2 + 1 }, (_, neuron) => ({ layer: 0, neuron }));
    assertThrows(
      () => randomFfnNeurons(model.config, half, 1),
      RangeError,
      `Cannot choose ${half.length} random neurons: a layer has ${model.config.dMlp}, too few to match those given`,
    );
    return Promise.resolve();
  });
});

Deno.test("zeroFfnNeurons() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
