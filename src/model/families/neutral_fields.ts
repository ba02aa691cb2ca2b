/**
 * Fields that change the maths of some model of `transformers`, with the values that change nothing.
 *
 * A family whose schema has the field reads it; for every other family a value that is not listed is refused, since a
 * model that carries it would be computed without it. Absent and empty always change nothing, and so does null but for
 * {@linkcode NULL_IS_FALSE}.
 *
 * @module
 */
import { quoteValue } from "../../checkpoint/file_error.ts";
import type { Architecture, ModelConfig } from "../architectures.ts";
import { activationNames, wrongField } from "./fields.ts";

/** A value of a field: that of the model, or of each of its layers as a list. */
type Value = string | number | boolean;

/** Values that follow from what the family's record computes. */
type Computed = (config: ModelConfig, family: Architecture) => readonly Value[];

const turned: Computed = ({ rotary }) => [rotary !== null];
const base: Computed = ({ rotary }) => rotary ? [rotary.theta] : [];
const share: Computed = ({ rotary, dHead }) => rotary ? [rotary.dims / dHead] : [];
const neighbours: Computed = (_, { rotaryStyle }) => [rotaryStyle === "pairs"];
const headNorms: Computed = (_, { qkNorm }) => [qkNorm];
const parallel: Computed = (config) => [config.parallel];
const activations: Computed = ({ activation }) => activationNames(activation);

/**
 * Values that change nothing, by field; none listed: the field must be absent, null or empty. Fields that bring tensors of
 * their own are left out, since a tensor that no record names is refused anyway.
 */
const NEUTRAL: Readonly<Record<string, readonly Value[] | Computed>> = {
  // Sizes under the names that configs have for each other's, and sizes of single layers.
  hidden_size: ({ dModel }) => [dModel],
  num_hidden_layers: ({ nLayers }) => [nLayers],
  num_attention_heads: ({ nHeads }) => [nHeads],
  num_key_value_heads: ({ nKvHeads }) => [nKvHeads],
  num_kv_heads: ({ nKvHeads }) => [nKvHeads],
  head_dim: ({ dHead }) => [dHead],
  per_layer_config: [],
  // Factors and caps of embeddings, branches and logits: Cohere, Falcon-H1, Gemma, Granite, MiniCPM, MiniMax, Inkling.
  embedding_multiplier: [1],
  embedding_scale: [1],
  scale_emb: [1],
  scale_embedding: [false],
  mup_enabled: [false],
  residual_multiplier: [1],
  scale_depth: [],
  full_attn_alpha_factor: [1],
  full_attn_beta_factor: [1],
  mlp_alpha_factor: [1],
  mlp_beta_factor: [1],
  mlp_multipliers: [1],
  mlp_gate_softcap: [],
  mlp_up_softcap: [],
  swiglu_alpha: [],
  swiglu_limit: [],
  swiglu_limits: [],
  logit_scale: [1],
  logits_scaling: [1],
  lm_head_multiplier: [1],
  logits_mup_width_multiplier: [1],
  output_multiplier: [1],
  dim_model_base: [],
  final_logit_softcapping: [],
  logits_soft_cap: [],
  output_logit_soft_cap: [],
  // Scores of attention and what it gives: Falcon-H1, GPT-2, Granite, Gemma, OLMo, Llama 4.
  attention_multiplier: ({ dHead }) => [1 / Math.sqrt(dHead)],
  attention_in_multiplier: [1],
  attention_out_multiplier: [1],
  attention_value_scale: [1],
  key_multiplier: [1],
  query_pre_attn_scalar: ({ dHead }) => [dHead],
  qk_scale_factor: [],
  qk_l2_clip_threshold: [],
  attn_logit_softcapping: [],
  attn_temperature_tuning: [false],
  log_scaling_alpha: [],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  clip_qkv: [],
  use_qk_norm: headNorms,
  qk_layernorm: headNorms,
  multi_query: [false],
  attention_k_eq_v: [false],
  num_kv_shared_layers: [0],
  // Which positions attention sees: GPT-Neo, Cohere 2, Llama 4, ModernBERT, XLM.
  is_causal: [true],
  causal: [true],
  prefix_lm: [false],
  use_bidirectional_attention: [false],
  add_cross_attention: [false],
  is_encoder_decoder: [false],
  layer_types: ["full_attention"],
  attention_types: [],
  sliding_window: [],
  sliding_window_size: [],
  sliding_window_pattern: [],
  use_sliding_window: [false],
  window_size: [],
  attention_window_size: [],
  attention_chunk_size: [],
  local_attention: [],
  global_attn_every_n_layers: [],
  // How positions come in: BLOOM, Falcon, GPT-J, GPT-NeoX, MPT, SmolLM3, StableLM.
  alibi: [false],
  use_alibi: [false],
  position_embedding_type: ({ rotary }) => rotary ? ["rope", "rotary"] : ["absolute"],
  sinusoidal_embeddings: [false],
  rotary: turned,
  use_rotary_embedding: turned,
  rotary_value: [false],
  rotary_dim: ({ rotary }) => rotary ? [rotary.dims] : [],
  rotary_pct: share,
  rotary_emb_base: base,
  rope_theta: base,
  layer_rope_theta: [],
  rope_local_base_freq: [],
  local_rope_theta: [],
  global_rope_theta: [],
  rope_scaling: [],
  rope_scaling_layers: [],
  rope_parameters: [],
  rope_interleave: neighbours,
  rope_interleaved: neighbours,
  partial_rotary_factor: share,
  no_rope_layers: [1],
  no_rope_layer_interval: [],
  // Norms, blocks and activations: BLOOM, Falcon, GPT-NeoX, OPT, Gemma 3n.
  apply_residual_connection_post_layernorm: [false],
  do_layer_norm_before: [true],
  _remove_final_layer_norm: [false],
  norm_after: [false],
  use_parallel_residual: parallel,
  parallel_attn: parallel,
  activation_function: activations,
  activation_sparsity_pattern: [0],
  hidden_act: activations,
  hidden_activation: activations,
  mlp_hidden_act: activations,
  n_recurrent_loops: [1],
  loop_num_passes: [1],
};

/** Fields whose null `transformers` takes for false, not for absent. */
const NULL_IS_FALSE: readonly string[] = ["is_causal"];

/** Whether a value is one of the neutral ones; numbers are compared as float32, in which the model is computed. */
function isListed(value: unknown, neutral: readonly Value[]): boolean {
  if (typeof value !== "number") return neutral.some((one) => one === value);
  return neutral.some((one) => typeof one === "number" && Math.fround(one) === Math.fround(value));
}

/** Whether a field changes nothing: absent, empty, a neutral value, or a list of such for the layers. */
function isNeutral(value: unknown, neutral: readonly Value[]): boolean {
  if (Array.isArray(value)) return value.every((one) => isListed(one, neutral));
  if (typeof value === "object") return value === null || Object.keys(value).length === 0;
  return isListed(value, neutral);
}

/**
 * Refuses a config with a field that its family does not read and that would change the maths.
 *
 * @param json Config as the file has it, an object.
 * @param config What the family made of it.
 * @param family Record of the family.
 * @param path Config, for messages.
 * @throws {TypeError} Names the field, its value and those that change nothing.
 */
export function refuseForeignFields(json: object, config: ModelConfig, family: Architecture, path: string): void {
  const values = json as Readonly<Record<string, unknown>>;
  for (const [name, row] of Object.entries(NEUTRAL)) {
    if (!Object.hasOwn(json, name) || family.reads.includes(name)) continue;
    const neutral = typeof row === "function" ? row(config, family) : row;
    const value = values[name] === null && NULL_IS_FALSE.includes(name) ? false : values[name];
    if (isNeutral(value, neutral)) continue;
    const wanted = [...neutral.map((one) => JSON.stringify(one)), "none"].join(" or ");
    throw wrongField(
      path,
      `${name} is ${quoteValue(values[name])}, wanted ${wanted}: nothing else is computed for this family`,
    );
  }
}
