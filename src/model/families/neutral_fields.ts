/**
 * Fields that change the maths of other models of `transformers`, with the values that change nothing.
 *
 * A family whose schema has the field reads it; for every other family a value that is not listed is refused, since a
 * model that carries it would be computed without it. Absent and null always change nothing.
 *
 * @module
 */

/** Values that change nothing, by field; none listed: the field must be absent or null. */
const NEUTRAL: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  // Factors of embeddings, branches, scores and logits: Cohere, Granite, MiniCPM, Falcon-H1, Gemma.
  logit_scale: [1],
  logits_scaling: [1],
  lm_head_multiplier: [1],
  embedding_multiplier: [1],
  scale_emb: [1],
  residual_multiplier: [1],
  scale_depth: [],
  attention_multiplier: [],
  query_pre_attn_scalar: [],
  final_logit_softcapping: [],
  attn_logit_softcapping: [],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  // What attention sees and how positions come in: Falcon, MPT, OLMo, StableLM, Llama 4, SmolLM3.
  is_causal: [true],
  clip_qkv: [],
  alibi: [false],
  use_alibi: [false],
  position_embedding_type: ["rope", "rotary"],
  rope_theta: [],
  rope_scaling: [],
  rope_parameters: [],
  rotary_emb_base: [],
  rotary_pct: [],
  partial_rotary_factor: [],
  no_rope_layers: [],
  no_rope_layer_interval: [],
  sliding_window: [],
  use_sliding_window: [false],
  attention_chunk_size: [],
  attn_temperature_tuning: [false],
  add_cross_attention: [false],
  is_encoder_decoder: [false],
  // Norms, blocks and activations.
  use_qk_norm: [false],
  qk_layernorm: [false],
  use_parallel_residual: [false],
  parallel_attn: [false],
  hidden_activation: [],
  multi_query: [false],
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
): { name: string; value: unknown; neutral: readonly (string | number | boolean)[] } | undefined {
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    const value = json[name];
    if (Object.hasOwn(read, name) || value === undefined || value === null) continue;
    if (!neutral.some((one) => one === value)) return { name, value, neutral };
  }
  return undefined;
}
