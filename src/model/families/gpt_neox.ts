import { z } from "zod";
import type { Architecture, ModelConfig, WeightSpec } from "../architectures.ts";
import { activation, checkConfig, GELUS, size } from "./fields.ts";
import { ROPE_FIELDS, ropeBlock, type RopeFields, rotaryOf } from "./rope.ts";
import { dMlp, dModel, linear, optional, outputsOf, vector, vocab } from "./specs.ts";

const schema = z.looseObject({
  hidden_size: size,
  num_attention_heads: size,
  num_hidden_layers: size,
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: GELUS.default("gelu"),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
  rotary_pct: z.number().positive().max(1).optional(),
  rotary_emb_base: z.number().positive().optional(),
  ...ROPE_FIELDS,
});

/**
 * Base and share of a head that is turned: the usual name, the family's own, and the number where the config is silent.
 *
 * `transformers` 4 reads the own names alone, version 5 the usual ones among the scaling before them; neither reads the
 * usual ones beside the own, which other programs do.
 */
const ROTARY = [["rope_theta", "rotary_emb_base", 10000], ["partial_rotary_factor", "rotary_pct", 0.25]] as const;

/** The fields, refused where one says otherwise than the one that is read. */
const agreeing = schema.superRefine((c, context) => {
  const [block, scaling] = ropeBlock(c);
  for (const [usual, own, absent] of ROTARY) {
    const value = scaling[usual] ?? c[own] ?? absent;
    const read = scaling[usual] ? `${block}.${usual}` : own;
    const message = `wanted ${value}: models of this family read ${read}`;
    for (const name of [own, usual]) {
      const input = c[name] ?? value;
      if (input !== value) context.addIssue({ code: "custom", path: [name], input, message });
    }
  }
});

function readConfig(json: unknown, path: string): ModelConfig {
  const c = checkConfig(agreeing, json, path);
  const dHead = c.hidden_size / c.num_attention_heads;
  const rope: RopeFields = { ...c };
  for (const [usual, own, absent] of ROTARY) rope[usual] = c[own] ?? absent;
  return {
    family: "gpt_neox",
    nLayers: c.num_hidden_layers,
    dModel: c.hidden_size,
    nHeads: c.num_attention_heads,
    nKvHeads: c.num_attention_heads,
    dHead,
    dMlp: c.intermediate_size,
    vocab: c.vocab_size,
    maxPos: c.max_position_embeddings,
    eps: c.layer_norm_eps,
    rotary: rotaryOf(rope, dHead, path),
    parallel: c.use_parallel_residual,
    activation: activation(c.hidden_act),
    tied: c.tie_word_embeddings,
    biases: { attn: c.attention_bias, mlp: true },
  };
}

const layer = "gpt_neox.layers.{}.";
/** Queries, keys or values: a third of each head's rows of query_key_value. */
const third = (spec: WeightSpec, which: number): WeightSpec =>
  outputsOf(spec, {
    all: (c) => 3 * c.dModel,
    period: (c) => 3 * c.dHead,
    first: (c) => which * c.dHead,
    count: (c) => c.dHead,
  });
const wQkv = (which: number): WeightSpec =>
  third(linear(`${layer}attention.query_key_value.weight`, dModel, dModel), which);
const attnBias = (spec: WeightSpec): WeightSpec => optional(spec, (c) => c.biases!.attn);
const bQkv = (which: number): WeightSpec =>
  attnBias(third(vector(`${layer}attention.query_key_value.bias`, dModel), which));

/** GPT-NeoX and Pythia: parallel blocks with two LayerNorms, rotary halves on a part of each head. */
export const gptNeox: Architecture = {
  norm: "layer",
  mlpNorm: true,
  rotaryStyle: "halves",
  gated: false,
  qkNorm: false,
  block: {
    "ln1.w": vector(`${layer}input_layernorm.weight`, dModel),
    "ln1.b": vector(`${layer}input_layernorm.bias`, dModel),
    "attn.W_Q": wQkv(0),
    "attn.b_Q": bQkv(0),
    "attn.W_K": wQkv(1),
    "attn.b_K": bQkv(1),
    "attn.W_V": wQkv(2),
    "attn.b_V": bQkv(2),
    "attn.W_O": linear(`${layer}attention.dense.weight`, dModel, dModel),
    "attn.b_O": attnBias(vector(`${layer}attention.dense.bias`, dModel)),
    "ln2.w": vector(`${layer}post_attention_layernorm.weight`, dModel),
    "ln2.b": vector(`${layer}post_attention_layernorm.bias`, dModel),
    "mlp.W_in": linear(`${layer}mlp.dense_h_to_4h.weight`, dMlp, dModel),
    "mlp.b_in": vector(`${layer}mlp.dense_h_to_4h.bias`, dMlp),
    "mlp.W_out": linear(`${layer}mlp.dense_4h_to_h.weight`, dModel, dMlp),
    "mlp.b_out": vector(`${layer}mlp.dense_4h_to_h.bias`, dModel),
  },
  outer: {
    "embed.W_E": linear("gpt_neox.embed_in.weight", vocab, dModel),
    "ln_final.w": vector("gpt_neox.final_layer_norm.weight", dModel),
    "ln_final.b": vector("gpt_neox.final_layer_norm.bias", dModel),
    "unembed.W_U": linear("embed_out.weight", vocab, dModel),
  },
  reads: Object.keys(schema.shape),
  readConfig,
};
