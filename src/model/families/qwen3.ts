import { z } from "zod";
import type { Architecture, ModelConfig, WeightSpec } from "../architectures.ts";
import { checkConfig, only, size } from "./fields.ts";

const schema = z.looseObject({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.optional(),
  head_dim: size.optional(),
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  rms_norm_eps: z.number().positive(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: only(["silu"]),
  attention_bias: only([false]),
  use_sliding_window: only([false]),
  sliding_window: only([null]),
  layer_types: z.array(z.literal("full_attention")).optional(),
  rope_scaling: only([null]),
  // Two spellings of the base of the frequencies: on its own, or among the rope parameters.
  rope_theta: z.number().positive().optional(),
  rope_parameters: z.looseObject({
    rope_theta: z.number().positive(),
    rope_type: only(["default"]),
    partial_rotary_factor: only([1]),
  }).optional(),
  partial_rotary_factor: only([1]),
  quantization_config: only([null]),
});

function readConfig(json: unknown, path: string): ModelConfig {
  const c = checkConfig(schema, json, path);
  const dHead = c.head_dim ?? c.hidden_size / c.num_attention_heads;
  return {
    family: "qwen3",
    nLayers: c.num_hidden_layers,
    dModel: c.hidden_size,
    nHeads: c.num_attention_heads,
    nKvHeads: c.num_key_value_heads ?? c.num_attention_heads,
    dHead,
    dMlp: c.intermediate_size,
    vocab: c.vocab_size,
    maxPos: c.max_position_embeddings,
    eps: c.rms_norm_eps,
    rotary: { dims: dHead, theta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10000 },
    activation: "silu",
    tied: c.tie_word_embeddings,
  };
}

const vector = (name: string, length: (c: ModelConfig) => number): WeightSpec => ({
  name,
  shape: (c) => [length(c)],
  layout: "vector",
});
const linear = (name: string, shape: (c: ModelConfig) => number[]): WeightSpec => ({ name, shape, layout: "out_in" });

/** Qwen3: sequential RMS-norm blocks, gated MLP, grouped key/value heads, per-head norm of queries and keys, no biases. */
export const qwen3: Architecture = {
  norm: "rms",
  parallel: false,
  rotaryStyle: "halves",
  gated: true,
  qkNorm: true,
  block: {
    "ln1.w": vector("model.layers.{}.input_layernorm.weight", (c) => c.dModel),
    "attn.W_Q": linear("model.layers.{}.self_attn.q_proj.weight", (c) => [c.nHeads * c.dHead, c.dModel]),
    "attn.W_K": linear("model.layers.{}.self_attn.k_proj.weight", (c) => [c.nKvHeads * c.dHead, c.dModel]),
    "attn.W_V": linear("model.layers.{}.self_attn.v_proj.weight", (c) => [c.nKvHeads * c.dHead, c.dModel]),
    "attn.q_norm.w": vector("model.layers.{}.self_attn.q_norm.weight", (c) => c.dHead),
    "attn.k_norm.w": vector("model.layers.{}.self_attn.k_norm.weight", (c) => c.dHead),
    "attn.W_O": linear("model.layers.{}.self_attn.o_proj.weight", (c) => [c.dModel, c.nHeads * c.dHead]),
    "ln2.w": vector("model.layers.{}.post_attention_layernorm.weight", (c) => c.dModel),
    "mlp.W_gate": linear("model.layers.{}.mlp.gate_proj.weight", (c) => [c.dMlp, c.dModel]),
    "mlp.W_in": linear("model.layers.{}.mlp.up_proj.weight", (c) => [c.dMlp, c.dModel]),
    "mlp.W_out": linear("model.layers.{}.mlp.down_proj.weight", (c) => [c.dModel, c.dMlp]),
  },
  outer: {
    "embed.W_E": linear("model.embed_tokens.weight", (c) => [c.vocab, c.dModel]),
    "ln_final.w": vector("model.norm.weight", (c) => c.dModel),
    "unembed.W_U": linear("lm_head.weight", (c) => [c.vocab, c.dModel]),
  },
  readConfig,
};
