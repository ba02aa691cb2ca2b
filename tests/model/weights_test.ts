import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { namedWeights } from "../../src/model/named_weights.ts";
import { loadSmall } from "./model_files.ts";

const gpu = await Gpu.open();

Deno.test("namedWeights() lists each weight once, with the name that the checkpoint has for it", async () => {
  using gptj = await loadSmall(gpu, "gptj");
  const list = namedWeights(gptj.config);
  assertEquals(list.length, 1 + 6 * 10 + 4);
  assertEquals(new Set(list.map(({ name }) => name)).size, list.length);
  assertEquals(list.find(({ name }) => name === "blocks.3.mlp.W_out"), {
    name: "blocks.3.mlp.W_out",
    stored: "transformer.h.3.mlp.fc_out.weight",
    shape: [48, 96],
    layout: "out_in",
    storedShape: [48, 96],
    slice: null,
  });
  using qwen3 = await loadSmall(gpu, "qwen3");
  const grouped = namedWeights(qwen3.config).find(({ name }) => name === "blocks.0.attn.W_K");
  assertEquals([grouped?.stored, grouped?.shape], ["model.layers.0.self_attn.k_proj.weight", [32, 48]]);
});

Deno.test("Weights.get() gives a tied model its embedding as the unembedding", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-qwen3");
  assertStrictEquals(model.weights.get("unembed.W_U"), model.weights.get("embed.W_E"));
  assertEquals(model.weights.layout("unembed.W_U"), "out_in");
  assertEquals(namedWeights(model.config).some(({ name }) => name === "unembed.W_U"), false);
});

Deno.test("Weights.get() refuses a name that the model does not have", async () => {
  using model = await loadSmall(gpu);
  assertThrows(
    () => model.weights.get("blocks.6.mlp.W_out"),
    TypeError,
    'Cannot find weight "blocks.6.mlp.W_out": this model has 65 others',
  );
  assertEquals(model.weights.find("blocks.0.mlp.W_gate"), undefined);
});

Deno.test("Weights.swap() hands the old tensor over and refuses another shape", async () => {
  using model = await loadSmall(gpu);
  const name = "blocks.1.mlp.W_out";
  const stored = model.weights.get(name);
  using replacement = gpu.zeros([48, 96], "replacement");
  assertStrictEquals(model.weights.swap(name, replacement), stored);
  assertStrictEquals(model.weights.get(name), replacement);
  model.weights.swap(name, stored);
  using transposed = gpu.zeros([96, 48], "transposed");
  assertThrows(
    () => model.weights.swap(name, transposed),
    RangeError,
    'Cannot put [96, 48] in the place of "blocks.1.mlp.W_out" [48, 96]: shapes must match',
  );
});

Deno.test("Weights leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
