import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  queryFfnNeurons,
  queryLayersOfAttn,
  queryLayersOfFfn,
  splitQueryNeurons,
} from "../../src/attribution/query_scores.ts";
import { rankAttnNeurons, rankFfnNeurons } from "../../src/attribution/neuron_scores.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import type { TensorToWrite } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { CASES, withCase } from "../model/golden_case.ts";
import { withChangedModel } from "../model/model_files.ts";

const gpu = await Gpu.open();

Deno.test("queryLayersOfFfn() gives shares that add up to each neuron's score", async () => {
  for (const name of CASES) {
    await withCase(gpu, name, async (model, file) => {
      using prompt = await ScoredPrompt.open(model, file.prompts[1]!.ids, file.prompts[1]!.target);
      const { neurons } = await rankFfnNeurons(prompt, { top: 12 });
      const { shares, conditioning } = await queryLayersOfFfn(prompt, neurons);
      shares.forEach((row, n) => {
        const sum = row.reduce((total, share) => total + share, 0);
        // 2 L + 1 terms in float64, each with one division.
        const bound = 4 * row.length * 2 ** -52 * Math.abs(neurons[n]!.score) * conditioning[n]!;
        assertAlmostEquals(sum, neurons[n]!.score, bound);
      });
    });
  }
});

Deno.test("queryLayersOfFfn() and its siblings leave ill-conditioned neurons out of the sums, and say which", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    using prompt = await ScoredPrompt.open(model, file.prompts[1]!.ids, file.prompts[1]!.target);
    const { neurons } = await rankFfnNeurons(prompt, { top: 12 });
    const all = await queryLayersOfFfn(prompt, neurons);
    const sorted = all.conditioning.toSorted((a, b) => a - b);
    const maxConditioning = (sorted[5]! + sorted[6]!) / 2;
    const some = await queryLayersOfFfn(prompt, neurons, { maxConditioning });
    assertEquals(all.dropped, []);
    assertEquals(some.dropped, all.conditioning.flatMap((value, n) => value > maxConditioning ? [n] : []));
    assertEquals(some.dropped.length, 6);
    const want = new Float64Array(all.slots.length);
    some.shares.forEach((row, n) => {
      if (!some.dropped.includes(n)) row.forEach((share, i) => want[i]! += share);
    });
    assertEquals(some.slots, want);

    const attn = await rankAttnNeurons(prompt, { top: 8 });
    const none = await queryFfnNeurons(prompt, attn.neurons, { maxConditioning: 0 });
    assertEquals(none.dropped.length, 8);
    assert(none.scores.every((score) => score === 0));
  });
});

Deno.test("queryLayersOfAttn() gives a neuron of the first layer to the embedding alone", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    using prompt = await ScoredPrompt.open(model, file.prompts[0]!.ids, file.prompts[0]!.target);
    const { shares } = await queryLayersOfAttn(prompt, [{ layer: 0, head: 1, dim: 2, source: 3, score: 0.5 }]);
    assertEquals([...shares[0]!], [0.5, ...new Array<number>(2 * model.config.nLayers).fill(0)]);
  });
});

Deno.test("query scores leave out a neuron that reads nothing, and count the others", async () => {
  const change = {
    family: "qwen3" as const,
    tensors: (tensors: Map<string, TensorToWrite>) => {
      for (const name of ["self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj"]) {
        const weight = tensors.get(`model.layers.2.${name}.weight`)!;
        (weight.data as Uint8Array).fill(0);
      }
    },
  };
  await withChangedModel(change, async (dir) => {
    using model = await loadModel(gpu, dir);
    using prompt = await ScoredPrompt.open(model, [45, 268, 1478, 12], 77);
    const attn = [{ layer: 2, head: 0, dim: 1, source: 1, score: 0.5 }, {
      layer: 3,
      head: 1,
      dim: 0,
      source: 2,
      score: 1,
    }];
    const ffn = [{ layer: 2, neuron: 5, score: 0.5 }, { layer: 4, neuron: 7, score: 1 }];
    const ofAttn = await queryLayersOfAttn(prompt, attn);
    const ofFfn = await queryLayersOfFfn(prompt, ffn);
    const neurons = await queryFfnNeurons(prompt, attn);
    for (const { dropped } of [ofAttn, ofFfn, neurons]) assertEquals(dropped, [0]);
    assertEquals(ofAttn.slots, (await queryLayersOfAttn(prompt, attn.slice(1))).slots);
    assertEquals(ofFfn.slots, (await queryLayersOfFfn(prompt, ffn.slice(1))).slots);
    assertEquals(neurons.scores, (await queryFfnNeurons(prompt, attn.slice(1))).scores);
    assert([...ofAttn.slots, ...ofFfn.slots, ...neurons.scores].every(Number.isFinite));
  });
});

Deno.test("queryLayersOfFfn() refuses a gate in a model without one", async () => {
  await withCase(gpu, "gptj", async (model, file) => {
    using prompt = await ScoredPrompt.open(model, file.prompts[0]!.ids, file.prompts[0]!.target);
    await assertRejects(
      () => queryLayersOfFfn(prompt, [{ layer: 1, neuron: 0, score: 1 }], { subKey: "gate" }),
      TypeError,
      'Cannot use sub-key "gate" with a gptj model: its MLP has no gate. Use "in"',
    );
  });
});

Deno.test("queryFfnNeurons() of no neurons is zero everywhere", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    using prompt = await ScoredPrompt.open(model, file.prompts[0]!.ids, file.prompts[0]!.target);
    const { scores, denominators } = await queryFfnNeurons(prompt, []);
    assertEquals([scores.length, denominators], [model.config.nLayers * model.config.dMlp, []]);
    assert(scores.every((score) => score === 0));
  });
});

Deno.test("splitQueryNeurons() parts by membership among value neurons", () => {
  const [a, b, c] = [{ layer: 0, neuron: 1 }, { layer: 1, neuron: 0 }, { layer: 1, neuron: 1 }];
  assertEquals(splitQueryNeurons([a, b, c], [c, { layer: 0, neuron: 1 }]), { queryAndValue: [a, c], queryOnly: [b] });
});

Deno.test("queryLayersOfFfn() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
