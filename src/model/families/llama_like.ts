/**
 * What Llama and the families after it share: sequential RMS-norm blocks, gated MLP, grouped key/value heads.
 *
 * @module
 */
import { z } from "zod";
import type { ModelConfig, WeightSpec } from "../architectures.ts";
import { checkConfig, only, size, wrongField } from "./fields.ts";
import { ROPE_FIELDS, rotaryOf, WHOLE_HEAD_FIELDS } from "./rope.ts";
import { dMlp, dModel, kvWidth, linear, optional, qWidth, vector, vocab } from "./specs.ts";

const SCHEMA = z.looseObject({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: only(["silu"]),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().optional(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  ...WHOLE_HEAD_FIELDS,
});

/** Fields of a family that turns the part of each head that the config names. */
const PARTIAL_SCHEMA = SCHEMA.extend(ROPE_FIELDS);

/** Fields that {@linkcode readLlamaLike} reads. */
export const LLAMA_READS: readonly string[] = Object.keys(SCHEMA.shape);

/** How a family differs from the others in reading its config. */
export interface LlamaLikeOptions {
  /** Whether `use_sliding_window` and `layer_types` say if `sliding_window` counts. Default: no, it counts by itself. */
  windowSwitch?: boolean;
  /** Whether the config may have a part of each head turned. Default: no. */
  partialHeads?: boolean;
  /** What the family's config class in `transformers` takes where the file has no such field and ours would differ. */
  absent?: Readonly<Record<string, number>>;
}

/**
 * Reads a config.
 *
 * A model with an attention window is right as long as the context fits the window, so the context is limited to it.
 */
export function readLlamaLike(
  family: string,
  json: unknown,
  path: string,
  { windowSwitch = false, partialHeads = false, absent = {} }: LlamaLikeOptions = {},
): ModelConfig {
  const whole = { ...absent, ...json as Record<string, unknown> };
  const c = partialHeads ? checkConfig(PARTIAL_SCHEMA, whole, path) : checkConfig(SCHEMA, whole, path);
  const dHead = c.head_dim ?? c.hidden_size / c.num_attention_heads;
  const windowed = !windowSwitch ||
    (c.use_sliding_window === true && c.layer_types?.every((type) => type === "full_attention") !== true);
  if (c.layer_types?.includes("sliding_attention") && (!windowed || !c.sliding_window)) {
    throw wrongField(path, `layer_types has "sliding_attention" layers, wanted a number as sliding_window`);
  }
  const window = windowed ? c.sliding_window ?? null : null;
  const cut = window !== null && window < c.max_position_embeddings;
  return {
    family,
    nLayers: c.num_hidden_layers,
    dModel: c.hidden_size,
    nHeads: c.num_attention_heads,
    nKvHeads: c.num_key_value_heads ?? c.num_attention_heads,
    dHead,
    dMlp: c.intermediate_size,
    vocab: c.vocab_size,
    maxPos: cut ? window : c.max_position_embeddings,
    ...(cut ? { windowed: true } : {}),
    eps: c.rms_norm_eps,
    rotary: rotaryOf(c, dHead, path),
    parallel: false,
    activation: "silu",
    tied: c.tie_word_embeddings,
    biases: { attn: c.attention_bias, mlp: c.mlp_bias },
  };
}

const layer = "model.layers.{}.";

/** Weights of one block without norms of single heads; biases are there where the config says so. */
export const LLAMA_BLOCK: Readonly<Record<string, WeightSpec>> = {
  "ln1.w": vector(`${layer}input_layernorm.weight`, dModel),
  "attn.W_Q": linear(`${layer}self_attn.q_proj.weight`, qWidth, dModel),
  "attn.b_Q": attnBias(vector(`${layer}self_attn.q_proj.bias`, qWidth)),
  "attn.W_K": linear(`${layer}self_attn.k_proj.weight`, kvWidth, dModel),
  "attn.b_K": attnBias(vector(`${layer}self_attn.k_proj.bias`, kvWidth)),
  "attn.W_V": linear(`${layer}self_attn.v_proj.weight`, kvWidth, dModel),
  "attn.b_V": attnBias(vector(`${layer}self_attn.v_proj.bias`, kvWidth)),
  "attn.W_O": linear(`${layer}self_attn.o_proj.weight`, dModel, qWidth),
  "attn.b_O": attnBias(vector(`${layer}self_attn.o_proj.bias`, dModel)),
  "ln2.w": vector(`${layer}post_attention_layernorm.weight`, dModel),
  "mlp.W_gate": linear(`${layer}mlp.gate_proj.weight`, dMlp, dModel),
  "mlp.b_gate": mlpBias(vector(`${layer}mlp.gate_proj.bias`, dMlp)),
  "mlp.W_in": linear(`${layer}mlp.up_proj.weight`, dMlp, dModel),
  "mlp.b_in": mlpBias(vector(`${layer}mlp.up_proj.bias`, dMlp)),
  "mlp.W_out": linear(`${layer}mlp.down_proj.weight`, dModel, dMlp),
  "mlp.b_out": mlpBias(vector(`${layer}mlp.down_proj.bias`, dModel)),
};

/** Weights outside the blocks. */
export const LLAMA_OUTER: Readonly<Record<string, WeightSpec>> = {
  "embed.W_E": linear("model.embed_tokens.weight", vocab, dModel),
  "ln_final.w": vector("model.norm.weight", dModel),
  "unembed.W_U": linear("lm_head.weight", vocab, dModel),
};

function attnBias(spec: WeightSpec): WeightSpec {
  return optional(spec, (c) => c.biases!.attn);
}

function mlpBias(spec: WeightSpec): WeightSpec {
  return optional(spec, (c) => c.biases!.mlp);
}
