/**
 * Fields that change the maths of other models of `transformers`, with the values that change nothing.
 *
 * A family whose schema has the field reads it; for every other family a value that is not listed is refused, since a
 * model that carries it would be computed without it. Absent and null always change nothing.
 *
 * @module
 */

/** A value of a field: that of the model, or of each of its layers as a list. */
type Neutral = string | number | boolean;

/**
 * Values that change nothing, by field; none listed: the field must be absent or null. Fields that bring tensors of their
 * own are left out, since a tensor that no record names is refused anyway.
 */
const NEUTRAL: Readonly<Record<string, readonly Neutral[]>> = {
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
  attention_multiplier: [],
  attention_in_multiplier: [1],
  attention_out_multiplier: [1],
  attention_value_scale: [1],
  key_multiplier: [1],
  query_pre_attn_scalar: [],
  qk_scale_factor: [],
  attn_logit_softcapping: [],
  attn_temperature_tuning: [false],
  log_scaling_alpha: [],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  clip_qkv: [],
  use_qk_norm: [false],
  qk_layernorm: [false],
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
  position_embedding_type: ["rope", "rotary"],
  sinusoidal_embeddings: [false],
  rotary: [true],
  rotary_dim: [],
  rotary_pct: [],
  rotary_emb_base: [],
  rope_theta: [],
  layer_rope_theta: [],
  rope_local_base_freq: [],
  local_rope_theta: [],
  global_rope_theta: [],
  rope_scaling: [],
  rope_scaling_layers: [],
  rope_parameters: [],
  rope_interleave: [false],
  rope_interleaved: [false],
  partial_rotary_factor: [],
  no_rope_layers: [1],
  no_rope_layer_interval: [],
  // Norms, blocks and activations: BLOOM, Falcon, GPT-NeoX, OPT, Gemma 3n.
  apply_residual_connection_post_layernorm: [false],
  do_layer_norm_before: [true],
  _remove_final_layer_norm: [false],
  norm_after: [false],
  use_parallel_residual: [false],
  parallel_attn: [false],
  activation_function: [],
  activation_sparsity_pattern: [0],
  hidden_act: [],
  hidden_activation: [],
  mlp_hidden_act: [],
  n_recurrent_loops: [1],
  loop_num_passes: [1],
};

/**
 * The first field of a config that a schema does not read and that is not neutral.
 *
 * @param json Config, an object.
 * @param read Names of the fields that the family's schema reads.
 * @returns The field with its value and the values that would be neutral; undefined if there is none.
 */
export function unreadField(
  json: Readonly<Record<string, unknown>>,
  read: Readonly<Record<string, unknown>>,
): { name: string; value: unknown; neutral: readonly Neutral[] } | undefined {
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    const value = json[name];
    if (Object.hasOwn(read, name) || value === undefined || value === null) continue;
    const changesNothing = (one: unknown): boolean => neutral.some((value) => value === one);
    if (Array.isArray(value) ? value.every(changesNothing) : changesNothing(value)) continue;
    return { name, value, neutral };
  }
  return undefined;
}
