import { assertEquals, assertThrows } from "@std/assert";
import { type ModelConfig, readModelConfig } from "../../src/model/architectures.ts";

/** Fields that no family has a value for. */
const SIZES = {
  hidden_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 32,
  intermediate_size: 512,
  vocab_size: 100,
  max_position_embeddings: 8192,
};

/** What the config classes of `transformers` 5 have in the place of absent fields, as far as it shapes the model. */
const ABSENT: Record<string, Partial<ModelConfig>> = {
  llama: { eps: 1e-6, nKvHeads: 32, dHead: 8, maxPos: 8192, tied: false, rotary: { dims: 8, theta: 10000 } },
  mistral: { eps: 1e-6, nKvHeads: 8, dHead: 8, maxPos: 4096, tied: false, rotary: { dims: 8, theta: 10000 } },
  phi3: { eps: 1e-5, nKvHeads: 32, dHead: 8, maxPos: 8192, tied: false, rotary: { dims: 8, theta: 10000 } },
  qwen2: { eps: 1e-6, nKvHeads: 32, dHead: 8, maxPos: 8192, tied: false, rotary: { dims: 8, theta: 10000 } },
  qwen3: { eps: 1e-6, nKvHeads: 32, dHead: 128, maxPos: 8192, tied: false, rotary: { dims: 128, theta: 10000 } },
};

for (const [model_type, wanted] of Object.entries(ABSENT)) {
  Deno.test(`readModelConfig() takes for absent fields of ${model_type} what transformers takes`, () => {
    const { eps, nKvHeads, dHead, maxPos, tied, rotary } = readModelConfig({ model_type, ...SIZES }, "config.json");
    assertEquals<Partial<ModelConfig>>({ eps, nKvHeads, dHead, maxPos, tied, rotary }, wanted);
  });
}

Deno.test("readModelConfig() takes null for what is not there, other than an absent field", () => {
  const none = { num_key_value_heads: null, sliding_window: null };
  const { nKvHeads, maxPos } = readModelConfig({ model_type: "mistral", ...SIZES, ...none }, "config.json");
  assertEquals([nKvHeads, maxPos], [32, 8192]);
});

Deno.test("readModelConfig() takes the window of Qwen2 that is switched on without a size", () => {
  const json = { model_type: "qwen2", ...SIZES, use_sliding_window: true };
  assertEquals(readModelConfig(json, "config.json").maxPos, 4096);
});

for (const name of Object.keys(SIZES)) {
  Deno.test(`readModelConfig() asks for ${name}, which has no value of its own in any model`, () => {
    const { [name as keyof typeof SIZES]: _, ...others } = SIZES;
    assertThrows(
      () => readModelConfig({ model_type: "mistral", ...others }, "config.json"),
      TypeError,
      `Cannot use config.json: field ${name} is missing, wanted a value of type number`,
    );
  });
}
