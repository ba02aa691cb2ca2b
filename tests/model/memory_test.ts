import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadConfig, loadModel } from "../../src/model/load_model.ts";
import { activationBytes, cacheBytes, largestWeight, parameterCounts, weightBytes } from "../../src/model/memory.ts";
import type { Model } from "../../src/model/model.ts";

Deno.test("parameterCounts() gives the published sizes of GPT-J-6B and Qwen3-8B from their configs", async () => {
  // As counted by transformers: model.num_parameters().
  const gptj = parameterCounts(await loadConfig("fixtures/configs/gpt-j-6b"));
  assertEquals(gptj.total, 6_050_882_784);
  const qwen3 = parameterCounts(await loadConfig("fixtures/configs/qwen3-8b"));
  assertEquals(qwen3.total, 8_190_735_360);
});

/** Runs `body` on a model that has a GPU for itself, which nothing may be left on. */
async function withWorld(name: string, body: (model: Model) => unknown): Promise<void> {
  using gpu = await Gpu.open();
  {
    using model = await loadModel(gpu, `fixtures/world/${name}`);
    await body(model);
  }
  assertEquals(gpu.memory().live, 0);
}

Deno.test("weightBytes() is what the weights of a model take, and largestWeight() its largest", async () => {
  await withWorld("world-qwen3", ({ config, weights }) => {
    assertEquals(weightBytes(config, "bf16"), weights.byteLength);
    assertEquals(largestWeight(config, "bf16"), { name: "embed.W_E", bytes: 2 * config.vocab * config.dModel });
  });
});

Deno.test("cacheBytes() is what keys and values of a generation take", async () => {
  await withWorld("world-gptj", (model) => {
    const caches = model.makeCaches(1, 100);
    const found = caches.reduce((sum, cache) => sum + cache!.k.byteLength + cache!.v.byteLength, 0);
    for (const cache of caches) for (const tensor of [cache!.k, cache!.v]) tensor.dispose();
    assertEquals(cacheBytes(model.config, 100), found);
  });
});

Deno.test("activationBytes() covers what a forward pass takes, without being twice as much", async () => {
  for (const name of ["world-qwen3", "world-gptj"]) {
    await withWorld(name, (model) => {
      const before = model.gpu.memory().live;
      const tokens = Array.from({ length: 120 }, (_, i) => i + 1);
      using cache = model.forward(tokens, { logits: "all" });
      const peak = model.gpu.memory().peak - before;
      const estimate = activationBytes(model.config, 120, 120);
      assert(peak <= estimate * 1.25 && estimate <= 2 * peak, `${name}: ${peak} bytes at most, estimated ${estimate}`);
      assert(cache.logits!.byteLength > 0);
    });
  }
});
