import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { lensLogProbs, logitLens } from "../../src/attribution/lens.ts";
import { projectNeurons } from "../../src/attribution/projection.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { LOGIT_TOLERANCE } from "../../src/evaluation/conformance/forward_checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withCase } from "../model/golden_case.ts";

const gpu = await Gpu.open();

Deno.test("logitLens() ends with what the model predicts; frozen and full agree there without a norm bias", async () => {
  for (const name of ["gptj", "qwen3"]) {
    await withCase(gpu, name, async (model, file) => {
      const { ids, target } = file.prompts[0]!;
      using prompt = await ScoredPrompt.open(model, ids, target);
      const rows = await logitLens(prompt, 3);
      assertEquals(rows.map(({ layer }) => layer), Array.from({ length: model.config.nLayers + 1 }, (_, i) => i));
      const last = rows.at(-1)!;
      assertAlmostEquals(last.targetLogProb, prompt.host.logProb, LOGIT_TOLERANCE);
      assertEquals("frozenTargetLogProbAfterAttn" in last, false);
      const apart = Math.abs(last.frozenTargetLogProb - last.targetLogProb);
      // LayerNorm has a bias that the frozen projection leaves out, RMSNorm has none.
      assertEquals(apart <= LOGIT_TOLERANCE, name === "qwen3");
      for (const { top } of rows) {
        assertEquals(top.length, 3);
        assert(top[0]!.logProb >= top[1]!.logProb && top[1]!.logProb >= top[2]!.logProb);
        assertEquals(top.map(({ text }) => text), top.map(({ id }) => model.tokenizer.tokenText(id)));
      }
    });
  }
});

Deno.test("lensLogProbs() gives rows of probabilities that add up to one", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    using logProbs = lensLogProbs(prompt);
    assertEquals(logProbs.shape, [model.config.nLayers + 1, model.config.vocab]);
    const [values] = await gpu.stream.read(logProbs);
    const { vocab } = model.config;
    for (let row = 0; row <= model.config.nLayers; row++) {
      const sum = [...values.subarray(row * vocab, (row + 1) * vocab)].reduce((total, lp) => total + Math.exp(lp), 0);
      // Each log-probability is off by rounding of logits of size about 30 and of the log-sum-exp.
      assertAlmostEquals(sum, 1, 64 * 2 ** -24 * 8);
    }
  });
});

Deno.test("projectNeurons() takes more neurons than fit one go, in their order", async () => {
  await withCase(gpu, "qwen3", async (model, file) => {
    const { ids, target } = file.prompts[0]!;
    using prompt = await ScoredPrompt.open(model, ids, target);
    const { nLayers, dMlp } = model.config;
    const all = Array.from({ length: 150 }, (_, i) => ({ layer: (7 * i) % nLayers, neuron: (13 * i) % dMlp }));
    const found = await projectNeurons(prompt, all, { count: 1 });
    assertEquals(found.length, all.length);
    for (const i of [0, 127, 128, 149]) {
      const [alone] = await projectNeurons(prompt, [all[i]!], { count: 1 });
      assertEquals(found[i]!.top[0]!.id, alone!.top[0]!.id);
      assertEquals(found[i]!.bottom[0]!.id, alone!.bottom[0]!.id);
      assertAlmostEquals(found[i]!.top[0]!.value, alone!.top[0]!.value, 1e-4);
    }
    assertEquals(await projectNeurons(prompt, []), []);
  });
});

Deno.test("logitLens() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
