import { assertEquals, assertThrows } from "@std/assert";
import { ARCHITECTURES, readModelConfig } from "../../src/model/architectures.ts";
import { loadConfig } from "../../src/model/load_model.ts";

const FIXTURES = new URL("../../fixtures", import.meta.url).pathname;

const GPT = { n_embd: 64, n_head: 4, n_layer: 2, n_positions: 128, vocab_size: 100 };
const SIZES = {
  hidden_size: 64,
  num_attention_heads: 4,
  num_hidden_layers: 2,
  intermediate_size: 96,
  vocab_size: 100,
  max_position_embeddings: 128,
};
const GROUPED = { ...SIZES, num_key_value_heads: 2, head_dim: 16 };

/** Smallest config of a family. */
function smallest(family: string): Record<string, unknown> {
  const older: Record<string, object> = { gpt2: GPT, gptj: { ...GPT, rotary_dim: 8 }, gpt_neox: SIZES };
  return { model_type: family, ...older[family] ?? GROUPED };
}

/** Fields that change the maths in no family here, by models of `transformers` that have them: what changes, what does not. */
const FOREIGN: Record<string, [foreign: unknown, neutral: unknown[]]> = {
  embedding_multiplier: [12, [1]], // Granite
  scale_emb: [12, [1]], // MiniCPM
  scale_depth: [1.4, []],
  dim_model_base: [256, []],
  scale_embedding: [true, [false]], // BART
  mup_enabled: [true, [false]], // AFMoE
  residual_multiplier: [0.22, [1]],
  full_attn_alpha_factor: [3.5, [1]], // MiniMax
  mlp_beta_factor: [0.5, [1]],
  mlp_multipliers: [[0.9, 1], [[1, 1]]], // Falcon-H1
  key_multiplier: [0.4, [1]],
  attention_in_multiplier: [0.9, [1]],
  lm_head_multiplier: [0.04, [1]],
  swiglu_alpha: [1.7, []], // GPT-OSS
  swiglu_limit: [7, []],
  logit_scale: [0.0625, [1]], // Cohere
  logits_scaling: [8, [1]],
  final_logit_softcapping: [30, []], // Gemma 2
  attn_logit_softcapping: [50, []],
  query_pre_attn_scalar: [256, [16]],
  logits_soft_cap: [30, []], // RecurrentGemma
  attention_multiplier: [0.0078125, [0.25]],
  attn_temperature_tuning: [true, [false]], // Llama 4
  attention_chunk_size: [8192, []],
  scale_attn_by_inverse_layer_idx: [true, [false]],
  clip_qkv: [8, []], // OLMo
  multi_query: [true, [false]], // Falcon
  alibi: [true, [false]],
  num_kv_shared_layers: [15, [0]], // Gemma 3n
  activation_sparsity_pattern: [[0.95, 0], [[0, 0]]],
  is_causal: [false, [true]],
  use_bidirectional_attention: [true, [false]],
  is_encoder_decoder: [true, [false]],
  add_cross_attention: [true, [false]],
  layer_types: [["chunked_attention", "full_attention"], [["full_attention", "full_attention"]]],
  attention_types: [[[["global", "local"], 1]], []], // GPT-Neo
  window_size: [256, []],
  sliding_window_pattern: [4, []], // Cohere 2
  local_attention: [128, []], // ModernBERT
  global_attn_every_n_layers: [3, []],
  no_rope_layers: [[1, 0], [[1, 1]]], // SmolLM3
  no_rope_layer_interval: [4, []],
  layer_rope_theta: [[10000, 1e6], []], // Granite with windows
  rope_local_base_freq: [20000, []], // Gemma 3
  apply_residual_connection_post_layernorm: [true, [false]], // BLOOM
  do_layer_norm_before: [false, [true]], // OPT
  mlp_hidden_act: ["relu2", []], // Nemotron
  hidden_activation: ["relu", []],
  loop_num_passes: [3, [1]],
  rotary_value: [true, [false]], // RoFormer
  // Any model of transformers 5 may say what differs in single layers.
  per_layer_config: [{ 1: { sliding_window: 64 } }, [{}]],
};

for (const family of Object.keys(ARCHITECTURES)) {
  Deno.test(`readModelConfig() refuses of ${family} every field of other models that would change the maths`, () => {
    const plain = readModelConfig(smallest(family), "config.json");
    for (const [name, [foreign, neutral]] of Object.entries(FOREIGN)) {
      assertThrows(
        () => readModelConfig({ ...smallest(family), [name]: foreign }, "config.json"),
        TypeError,
        `Cannot use config.json: field ${name}`,
        `${family} with ${name}`,
      );
      for (const value of name === "is_causal" ? neutral : [null, ...neutral]) {
        assertEquals(readModelConfig({ ...smallest(family), [name]: value }, "config.json"), plain, `${name} ${value}`);
      }
    }
  });
}

Deno.test("readModelConfig() refuses is_causal of null, for which transformers lets tokens see what follows", () => {
  assertThrows(
    () => readModelConfig({ ...smallest("llama"), is_causal: null }, "config.json"),
    TypeError,
    "Cannot use config.json: field is_causal is null, wanted true or none",
  );
});

Deno.test("readModelConfig() takes of a family what its own models have and refuses it of the others", () => {
  const refused = (config: Record<string, unknown>, message: string): void => {
    assertThrows(() => readModelConfig(config, "config.json"), TypeError, `Cannot use config.json: field ${message}`);
  };
  const gptj = smallest("gptj");
  const qwen3 = smallest("qwen3");
  const plain = readModelConfig(gptj, "config.json");
  for (const own of [{ use_parallel_residual: true }, { rotary: true }, { rope_theta: 10000 }, { rope_theta: null }]) {
    assertEquals(readModelConfig({ ...gptj, ...own }, "config.json"), plain);
  }
  refused({ ...gptj, use_parallel_residual: false }, "use_parallel_residual is false, wanted true or none");
  refused({ ...qwen3, use_parallel_residual: true }, "use_parallel_residual is true, wanted false or none");
  refused({ ...smallest("gpt2"), rotary: true }, "rotary is true, wanted false");
  refused({ ...gptj, rotary: false }, "rotary is false, wanted true or none");
  refused({ ...qwen3, rotary_dim: 8 }, "rotary_dim is 8, wanted 16 or none");
  refused({ ...qwen3, rope_interleaved: true }, "rope_interleaved is true, wanted false or none");
  refused(
    { ...gptj, hidden_act: "relu" },
    'hidden_act is "relu", wanted "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" or none',
  );
  refused({ ...gptj, activation_function: "gelu", hidden_act: "gelu_new" }, 'hidden_act is "gelu_new", wanted "gelu"');
  refused({ ...qwen3, activation_function: "gelu" }, 'activation_function is "gelu", wanted "silu"');
});

Deno.test("readModelConfig() takes what another family's field says where it is what the record computes", () => {
  const same: Record<string, Record<string, unknown>> = {
    gpt2: {
      hidden_size: 64,
      num_attention_heads: 4,
      num_key_value_heads: 4,
      head_dim: 16,
      hidden_act: "gelu_new",
      position_embedding_type: "absolute",
    },
    gptj: { head_dim: 16, rotary_pct: 0.5, rotary_emb_base: 10000, rope_interleave: true, rope_scaling: {} },
    gpt_neox: { num_key_value_heads: 4, head_dim: 16, rotary_dim: 4, activation_function: "gelu" },
    llama: { rotary_pct: 1, rotary_dim: 16, rotary_emb_base: 10000, activation_function: "silu", num_kv_heads: 2 },
    qwen3: { use_qk_norm: true, hidden_activation: "silu", use_parallel_residual: false, alibi: false },
  };
  for (const [family, fields] of Object.entries(same)) {
    const plain = readModelConfig(smallest(family), "config.json");
    assertEquals(readModelConfig({ ...smallest(family), ...fields }, "config.json"), plain, family);
  }
  const refused = (family: string, fields: Record<string, unknown>, message: string): void => {
    const config = { ...smallest(family), ...fields };
    assertThrows(() => readModelConfig(config, "config.json"), TypeError, `Cannot use config.json: field ${message}`);
  };
  refused("gpt2", { num_attention_heads: 8 }, "num_attention_heads is 8, wanted 4 or none");
  refused("gpt2", { rope_theta: 10000 }, "rope_theta is 10000, wanted none");
  refused("gpt_neox", { head_dim: 8 }, "head_dim is 8, wanted 16 or none");
  refused("gpt_neox", { num_key_value_heads: 1 }, "num_key_value_heads is 1, wanted 4 or none");
  refused("llama", { rotary_pct: 0.25 }, "rotary_pct is 0.25, wanted 1 or none");
});

Deno.test("readModelConfig() compares a factor with the record's as float32, and refuses the next one", () => {
  const heads = { ...smallest("qwen3"), head_dim: 128 };
  const plain = readModelConfig(heads, "config.json");
  assertEquals(readModelConfig({ ...heads, attention_multiplier: 0.08838834764831845 }, "config.json"), plain);
  assertEquals(readModelConfig({ ...heads, attention_multiplier: Math.fround(128 ** -0.5) }, "config.json"), plain);
  const next = { ...heads, attention_multiplier: Math.fround(128 ** -0.5) * (1 + 2 ** -22) };
  assertThrows(() => readModelConfig(next, "config.json"), TypeError, "field attention_multiplier is 0.0883883");
});

Deno.test("readModelConfig() quotes no more of a refused value than a line holds, and bears any depth", () => {
  const refused = (name: string, value: unknown, found: string): void => {
    const config = { ...smallest("gpt_neox"), [name]: value };
    const { message } = assertThrows(() => readModelConfig(config, "config.json"), TypeError);
    assertEquals(message.startsWith(`Cannot use config.json: field ${name} is ${found}, wanted `), true, message);
  };
  const long = new Array(1000).fill(0);
  const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
  for (const name of ["no_rope_layers", "rope_scaling"]) {
    refused(name, long, `${JSON.stringify(long).slice(0, 60)}...`);
    refused(name, deep, `${"[".repeat(60)}...`);
  }
});

Deno.test("readModelConfig() reads a part of each head and a base among the scaling, and refuses those of single layers", () => {
  const rotary = (fields: Record<string, unknown>) =>
    readModelConfig({ ...smallest("phi3"), ...fields }, "config.json").rotary;
  const older = { rope_type: "default", rope_theta: 5000, partial_rotary_factor: 0.5 };
  assertEquals(rotary({ rope_scaling: older }), { dims: 8, theta: 5000 });
  // transformers reads rope_parameters only where rope_scaling is absent or empty.
  const newer = { rope_type: "default", rope_theta: 20000, partial_rotary_factor: 0.25 };
  assertEquals(rotary({ rope_scaling: { rope_type: "default" }, rope_parameters: newer }), { dims: 16, theta: 10000 });
  assertEquals(rotary({ rope_scaling: {}, rope_parameters: newer }), { dims: 4, theta: 20000 });
  for (
    const [fields, message] of [
      [{ rope_parameters: { full_attention: { rope_theta: 1e6 } } }, "rope_parameters.full_attention is "],
      [{ rope_parameters: { sliding_attention: { rope_theta: 1e4 } } }, "rope_parameters.sliding_attention is "],
      [{ rope_parameters: { llama_4_scaling_beta: 0.1 } }, "rope_parameters.llama_4_scaling_beta is 0.1, wanted 0"],
      [{ rope_scaling: older }, "rope_scaling.partial_rotary_factor is 0.5, wanted 1"],
    ] as const
  ) {
    assertThrows(
      () => readModelConfig({ ...smallest("qwen3"), ...fields }, "config.json"),
      TypeError,
      `Cannot use config.json: field ${message}`,
    );
  }
});

/** What published configs of each family carry beyond sizes. */
const PUBLISHED: Record<string, Record<string, unknown>[]> = {
  gpt2: [
    { n_ctx: 1024, resid_pdrop: 0.1, summary_type: "cls_index", task_specific_params: {}, initializer_range: 0.02 },
    { scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false, reorder_and_upcast_attn: false },
  ],
  gptj: [{ rotary: true, scale_attn_weights: true, gradient_checkpointing: false, tie_word_embeddings: false }],
  gpt_neox: [
    { rotary_pct: 0.25, rotary_emb_base: 10000, use_parallel_residual: true, hidden_act: "gelu" },
    { rope_theta: 10000, rope_scaling: null, partial_rotary_factor: 0.25, attention_bias: true, is_decoder: false },
  ],
  llama: [
    {
      pretraining_tp: 1,
      rope_interleaved: false,
      is_llama_config: true,
      rope_theta: 100000,
      tie_word_embeddings: true,
    },
    { rope_scaling: null, attention_bias: false, mlp_bias: false, max_sequence_length: 2048, hidden_act: "silu" },
  ],
  mistral: [{ sliding_window: 4096, rope_theta: 1000000 }, { sliding_window: null, attention_dropout: 0.0 }],
  phi3: [
    { original_max_position_embeddings: 4096, embd_pdrop: 0.0, rope_scaling: null, sliding_window: 2047, auto_map: {} },
    {
      partial_rotary_factor: 0.75,
      attention_bias: false,
      interpolate_factor: 1,
      lm_head_bias: false,
      full_attn_mod: 1,
    },
  ],
  qwen2: [{ use_sliding_window: false, sliding_window: 131072, max_window_layers: 28, use_mrope: false }],
  qwen3: [{ use_sliding_window: false, sliding_window: null, max_window_layers: 36, attention_bias: false }],
};

for (const [family, configs] of Object.entries(PUBLISHED)) {
  Deno.test(`readModelConfig() takes what published models of ${family} carry`, () => {
    for (const fields of configs) {
      assertEquals(readModelConfig({ ...smallest(family), ...fields }, "config.json").family, family);
    }
  });
}

Deno.test("loadConfig() takes every config among the fixtures", async () => {
  const taken: string[] = [];
  const take = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await take(`${folder}/${name}`);
      if (name === "config.json") taken.push((await loadConfig(folder)).family);
    }
  };
  await take(FIXTURES);
  assertEquals([...new Set(taken)].sort(), Object.keys(ARCHITECTURES).sort());
});
