import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { llama3Factors } from "../../src/checkpoint/llama3_factors.ts";
import { f32Bytes } from "./gguf_files.ts";
import { FUSED_TENSORS, type GgufChange, openSmall } from "./gguf_models.ts";

/** Config of a small model. */
async function config(change: GgufChange = {}): Promise<Record<string, unknown>> {
  using weights = await openSmall(change);
  return { ...weights.config };
}

Deno.test("ggufConfig() is what config.json says of the same model", async () => {
  const llama = {
    model_type: "llama",
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 4,
    intermediate_size: 16,
    max_position_embeddings: 128,
    rms_norm_eps: 0.5,
    hidden_act: "silu",
    rope_theta: 10000,
    rope_scaling: null,
    vocab_size: 5,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
  };
  assertEquals(await config(), llama);
  const { attention_bias: _, mlp_bias: __, ...others } = llama;
  assertEquals(await config({ architecture: "qwen2" }), { ...others, model_type: "qwen2" });
  assertEquals(
    await config({
      architecture: "qwen3",
      metadata: {
        ".attention.key_length": ["u32", 6],
        ".attention.value_length": ["u32", 6],
        ".rope.freq_base": ["f32", 1e6],
        ".vocab_size": ["u32", 5],
      },
      tensors: { "output.weight": { dims: [8, 5] } },
    }),
    { ...others, model_type: "qwen3", head_dim: 6, rope_theta: 1e6, tie_word_embeddings: false },
  );
});

Deno.test("ggufConfig() has the fused names of phi3 and passes its window on", async () => {
  const change: GgufChange = {
    architecture: "phi3",
    metadata: { ".attention.sliding_window": ["u32", 64], ".rope.dimension_count": ["u32", 2] },
    tensors: {
      ...FUSED_TENSORS,
      "rope_factors_long.weight": { dims: [1] },
      "rope_factors_short.weight": { dims: [1] },
    },
  };
  using weights = await openSmall(change);
  const { model_type, sliding_window, partial_rotary_factor, rope_scaling } = weights.config;
  assertEquals([model_type, sliding_window, partial_rotary_factor], ["phi3", 64, 0.5]);
  assertEquals(rope_scaling, { rope_type: "longrope", factor: 1 });
  assertEquals(weights.tensors.get("model.layers.0.self_attn.qkv_proj.weight")!.shape, [16, 8]);
  assertEquals(weights.tensors.get("model.layers.0.mlp.gate_up_proj.weight")!.shape, [32, 8]);
  assertEquals(weights.tensors.has("rope_factors_long.weight"), false);
});

Deno.test("ggufConfig() reads scaling of rotary frequencies from fields", async () => {
  const scaling = async (metadata: GgufChange["metadata"]): Promise<unknown> =>
    (await config({ metadata: metadata! }))["rope_scaling"];
  assertEquals(await scaling({ ".rope.scaling.type": ["string", "none"] }), null);
  assertEquals(
    await scaling({ ".rope.scaling.type": ["string", "linear"], ".rope.scaling.factor": ["f32", 4] }),
    { rope_type: "linear", factor: 4 },
  );
  assertEquals(await scaling({ ".rope.scale_linear": ["f32", 2] }), { rope_type: "linear", factor: 2 });
  // As llama.cpp reads them: linear without a type, none by a factor of 0, the older key only where the newer is absent.
  assertEquals(await scaling({ ".rope.scaling.factor": ["f32", 2] }), { rope_type: "linear", factor: 2 });
  assertEquals(await scaling({ ".rope.scaling.factor": ["f32", 0], ".rope.scale_linear": ["f32", 2] }), null);
  assertEquals(await scaling({ ".rope.scaling.type": ["string", "none"], ".rope.scaling.factor": ["f32", 2] }), null);
  assertEquals(
    await scaling({
      ".rope.scaling.type": ["string", "yarn"],
      ".rope.scaling.factor": ["f32", 8],
      ".rope.scaling.original_context_length": ["u32", 64],
    }),
    { rope_type: "yarn", factor: 8 },
  );
});

/** Llama 3's factors as its published code computes them, frequency by frequency. */
function published(factor: number, theta: number, dims: number): number[] {
  return Array.from({ length: dims / 2 }, (_, i) => {
    const frequency = 1 / theta ** (2 * i / dims);
    const wavelength = 2 * Math.PI / frequency;
    if (wavelength < 8192 / 4) return 1;
    if (wavelength > 8192 / 1) return factor;
    const smooth = (8192 / wavelength - 1) / (4 - 1);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

Deno.test("llama3Factors() are those of the published rule", () => {
  const numbers = { factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPos: 8192 };
  const found = llama3Factors(numbers, 500000, 64);
  published(32, 500000, 64).forEach((want, i) => assertEquals(Math.abs(found[i]! - want) < 1e-12 * want, true));
});

Deno.test("ggufConfig() recognises Llama 3's scaling by its factors and refuses others", async () => {
  const heads: GgufChange["metadata"] = {
    ".embedding_length": ["u32", 64],
    ".attention.head_count": ["u32", 1],
    ".rope.freq_base": ["f32", 500000],
  };
  const withFactors = async (factors: number[]): Promise<unknown> => {
    const change: GgufChange = {
      metadata: heads,
      tensors: {
        "blk.0.attn_q.weight": { dims: [64, 64] },
        "blk.0.attn_k.weight": { dims: [64, 64] },
        "rope_freqs.weight": { dims: [factors.length], data: f32Bytes(factors) },
      },
    };
    return (await config(change))["rope_scaling"];
  };
  const factors = published(32, 500000, 64);
  assertEquals(await withFactors(factors), {
    rope_type: "llama3",
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  });
  assertEquals(await withFactors(new Array(32).fill(1)), null);
  for (const wrong of [factors.slice(1), factors.with(14, factors[14]! * 1.001), new Array(32).fill(NaN)]) {
    const error = await assertRejects(() => withFactors(wrong), FileError);
    assertStringIncludes(error.message, 'Cannot use x.gguf: tensor "rope_freqs.weight" holds ');
    assertStringIncludes(error.message, "that are not those of Llama 3 (32 by its rule); choose another model");
  }
});

const again = "fetch or convert the file again";

const FAULTS: [string, GgufChange, string][] = [
  [
    "an unknown architecture",
    { architecture: "mamba" },
    'metadata "general.architecture" is "mamba", wanted one of llama, qwen2, qwen3, phi3; choose a model of a ' +
    "supported architecture, or its folder in Hugging Face layout",
  ],
  ["an inherited name", { architecture: "toString" }, 'metadata "general.architecture" is "toString", wanted one of'],
  [
    "no architecture",
    { metadata: { "general.architecture": null } },
    'metadata "general.architecture" is missing, wanted one of llama',
  ],
  [
    "an architecture that is no text",
    { metadata: { "general.architecture": ["u8", 1] } },
    'metadata "general.architecture" is no text, wanted one of llama',
  ],
  [
    "a missing field",
    { metadata: { ".block_count": null } },
    `metadata "llama.block_count" is missing, wanted a whole number from 1; ${again}`,
  ],
  [
    "a size of 0",
    { metadata: { ".embedding_length": ["u32", 0] } },
    `metadata "llama.embedding_length" is 0, wanted a whole number from 1; ${again}`,
  ],
  [
    "a list of sizes",
    { metadata: { ".feed_forward_length": ["array", ["i32", [1, 2]]] } },
    'metadata "llama.feed_forward_length" is a list of 2 numbers, wanted a whole number from 1',
  ],
  [
    "a size above 2^53",
    { metadata: { ".context_length": ["u64", 2n ** 60n] } },
    'metadata "llama.context_length" is 1152921504606846976, wanted a whole number from 1',
  ],
  [
    "a size as text",
    { metadata: { ".block_count": ["string", "1"] } },
    'metadata "llama.block_count" is "1", wanted a whole number from 1',
  ],
  [
    "an epsilon of 0",
    { metadata: { ".attention.layer_norm_rms_epsilon": ["f32", 0] } },
    'metadata "llama.attention.layer_norm_rms_epsilon" is 0, wanted a number above 0',
  ],
  [
    "a base that is no number",
    { metadata: { ".rope.freq_base": ["f32", NaN] } },
    'metadata "llama.rope.freq_base" is NaN, wanted a number above 0',
  ],
  [
    "heads that do not divide the width",
    { metadata: { ".attention.head_count": ["u32", 3] } },
    'metadata "llama.attention.key_length" is missing, wanted a whole number from 1',
  ],
  [
    "values of another width than keys",
    { metadata: { ".attention.value_length": ["u32", 8] } },
    'metadata "llama.attention.value_length" is 8, wanted 4',
  ],
  [
    "a mixture of experts",
    { metadata: { ".expert_count": ["u32", 8] } },
    "it is a mixture of 8 experts, wanted a dense model; choose another model",
  ],
  [
    "a part of a model",
    { metadata: { "split.count": ["u16", 3] } },
    "it is one of 3 parts of a model, wanted one file; join them with llama-gguf-split",
  ],
  [
    "attention to what comes later",
    { metadata: { ".attention.causal": ["bool", 0] } },
    'metadata "llama.attention.causal" is false, wanted true',
  ],
  [
    "rotary scaling that changes the size of queries and keys",
    { metadata: { ".rope.scaling.attn_factor": ["f32", 2] } },
    `metadata "llama.rope.scaling.attn_factor" is 2, wanted 1; ${again}`,
  ],
  [
    "a negative factor of scaling",
    { metadata: { ".rope.scaling.factor": ["f32", -1] } },
    `metadata "llama.rope.scaling.factor" is -1, wanted a number from 0; ${again}`,
  ],
  [
    "a field that nothing asks for",
    { metadata: { ".logit_scale": ["f32", 2] } },
    'metadata "llama.logit_scale" is not known, and the model would be computed wrongly without it; choose another model',
  ],
  [
    "more layers than tensors",
    { metadata: { ".block_count": ["u32", 2 ** 32 - 1] } },
    'it has 1 tensors "blk.*.attn_norm.weight", wanted 4294967295 by the number of layers',
  ],
  [
    "rotary factors for more features than the file has",
    {
      metadata: { ".rope.dimension_count": ["u64", 2 ** 50] },
      tensors: { "rope_freqs.weight": { dims: [2], data: f32Bytes([1, 8]) } },
    },
    'tensor "rope_freqs.weight" holds 2 factors up to 8 that are not those of Llama 3 (562949953421312 by its rule)',
  ],
  [
    "two scalings of rotary frequencies",
    {
      metadata: { ".rope.freq_base": ["f32", 1e7], ".rope.scaling.factor": ["f32", 2] },
      tensors: { "rope_freqs.weight": { dims: [2], data: f32Bytes(published(8, 1e7, 4)) } },
    },
    'it has both tensor "rope_freqs.weight" and scaling by metadata, wanted one; choose another model',
  ],
  ["no embedding", { tensors: { "token_embd.weight": null } }, 'tensor "token_embd.weight" is missing'],
  [
    "another vocabulary",
    { metadata: { ".vocab_size": ["u32", 6] } },
    'tensor "token_embd.weight" has 5 rows, wanted 6 by the vocabulary\'s size',
  ],
  [
    "rotary factors without end",
    { tensors: { "rope_freqs.weight": { dims: [5000] } } },
    'tensor "rope_freqs.weight" holds 5000 factors, wanted one for each two features of a head',
  ],
];

for (const [name, change, message] of FAULTS) {
  Deno.test(`ggufConfig() refuses ${name}`, async () => {
    const error = await assertRejects(() => openSmall(change), FileError);
    assertStringIncludes(error.message, `Cannot use x.gguf: ${message}`);
  });
}

Deno.test("ggufConfig() takes fields that change nothing", async () => {
  const metadata: GgufChange["metadata"] = {
    ".expert_count": ["u32", 0],
    ".expert_used_count": ["u32", 0],
    ".attention.causal": ["bool", 1],
    ".rope.dimension_count": ["u32", 4],
    ".rope.scaling.finetuned": ["bool", 1],
    ".rope.scaling.original_context_length": ["u32", 64],
    ".rope.scaling.attn_factor": ["f32", 1],
    ".attention.sliding_window": ["u32", 0],
    ".pooling_type": ["u32", 0],
    "general.name": ["string", "x"],
  };
  assertEquals(await config({ metadata }), await config());
});
