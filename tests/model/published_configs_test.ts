import { assertEquals, assertThrows } from "@std/assert";
import { type ModelConfig, readModelConfig, type RotaryConfig } from "../../src/model/architectures.ts";
import { loadConfig } from "../../src/model/load_model.ts";

const CONFIGS = new URL("../../fixtures/configs", import.meta.url).pathname;

type Sizes = [number, number, number, number, number, number, number, number];

const LLAMA3: RotaryConfig = {
  dims: 64,
  theta: 500000,
  scaling: { type: "llama3", factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPos: 8192 },
};

/** The model that each published config is. */
const PUBLISHED: Record<string, ModelConfig> = {
  "gpt2": {
    family: "gpt2",
    nLayers: 12,
    dModel: 768,
    nHeads: 12,
    nKvHeads: 12,
    dHead: 64,
    dMlp: 3072,
    vocab: 50257,
    maxPos: 1024,
    eps: 1e-5,
    rotary: null,
    parallel: false,
    activation: "gelu_tanh",
    tied: true,
  },
  "gpt-j-6b": {
    family: "gptj",
    nLayers: 28,
    dModel: 4096,
    nHeads: 16,
    nKvHeads: 16,
    dHead: 256,
    dMlp: 16384,
    vocab: 50400,
    maxPos: 2048,
    eps: 1e-5,
    rotary: { dims: 64, theta: 10000 },
    parallel: true,
    activation: "gelu_tanh",
    tied: false,
  },
  "pythia-160m": {
    family: "gpt_neox",
    nLayers: 12,
    dModel: 768,
    nHeads: 12,
    nKvHeads: 12,
    dHead: 64,
    dMlp: 3072,
    vocab: 50304,
    maxPos: 2048,
    eps: 1e-5,
    rotary: { dims: 16, theta: 10000 },
    parallel: true,
    activation: "gelu_exact",
    tied: false,
    biases: { attn: true, mlp: true },
  },
  "llama-2-7b-hf": llamaLike("llama", [32, 4096, 32, 32, 128, 11008, 32000, 4096], 1e-5, { dims: 128, theta: 10000 }),
  "meta-llama-3-8b": llamaLike("llama", [32, 4096, 32, 8, 128, 14336, 128256, 8192], 1e-5, {
    dims: 128,
    theta: 500000,
  }),
  "llama-3.2-1b": {
    ...llamaLike("llama", [16, 2048, 32, 8, 64, 8192, 128256, 131072], 1e-5, LLAMA3),
    tied: true,
  },
  "smollm2-135m": {
    ...llamaLike("llama", [30, 576, 9, 3, 64, 1536, 49152, 8192], 1e-5, { dims: 64, theta: 100000 }),
    tied: true,
  },
  "mistral-7b-v0.1": {
    ...llamaLike("mistral", [32, 4096, 32, 8, 128, 14336, 32000, 4096], 1e-5, { dims: 128, theta: 10000 }),
    windowed: true,
  },
  "qwen2.5-0.5b": {
    ...llamaLike("qwen2", [24, 896, 14, 2, 64, 4864, 151936, 32768], 1e-6, { dims: 64, theta: 1000000 }),
    tied: true,
    biases: { attn: true, mlp: false },
  },
  "qwen3-8b": llamaLike("qwen3", [36, 4096, 32, 8, 128, 12288, 151936, 40960], 1e-6, { dims: 128, theta: 1000000 }),
  "phi-3-mini-4k-instruct": {
    ...llamaLike("phi3", [32, 3072, 32, 32, 96, 8192, 32064, 2047], 1e-5, { dims: 96, theta: 10000 }),
    windowed: true,
  },
};

/**
 * What Llama and the families after it have alike.
 *
 * @param sizes Layers, width, heads, key/value heads, width of a head, inner width, vocabulary, positions.
 */
function llamaLike(family: string, sizes: Sizes, eps: number, rotary: RotaryConfig): ModelConfig {
  const [nLayers, dModel, nHeads, nKvHeads, dHead, dMlp, vocab, maxPos] = sizes;
  return {
    ...{ family, nLayers, dModel, nHeads, nKvHeads, dHead, dMlp, vocab, maxPos, eps, rotary },
    ...{ parallel: false, activation: "silu", tied: false, biases: { attn: false, mlp: false } },
  };
}

for (const [name, model] of Object.entries(PUBLISHED)) {
  Deno.test(`loadConfig() reads the published config of ${name} as that model`, async () => {
    assertEquals(await loadConfig(`${CONFIGS}/${name}`), model);
  });
}

Deno.test("readModelConfig() refuses a published config under the name of a family that would compute another model", async () => {
  const refused = async (model_type: string, name: string, message: string): Promise<void> => {
    const json = JSON.parse(await Deno.readTextFile(`${CONFIGS}/${name}/config.json`));
    assertThrows(() => readModelConfig({ ...json, model_type }, "config.json"), TypeError, message);
  };
  await refused("gpt2", "gpt-j-6b", "field rotary_dim is 64, wanted none");
  await refused("gpt_neox", "llama-3.2-1b", 'field hidden_act is "silu"');
  await refused("llama", "pythia-160m", 'field hidden_act is "gelu"');
});
