import { z } from "zod";
import type { Architecture, ModelConfig, WeightSpec } from "../architectures.ts";
import { checkConfig } from "./fields.ts";
import { GPT_FIELDS, gptSizes } from "./gpt_like.ts";
import { conv1d, dMlp, dModel, linear, outputsOf, vector, vocab } from "./specs.ts";

const schema = z.looseObject({
  ...GPT_FIELDS,
  tie_word_embeddings: z.boolean().default(true),
});

function readConfig(json: unknown, path: string): ModelConfig {
  const c = checkConfig(schema, json, path);
  return { family: "gpt2", ...gptSizes(c), rotary: null, parallel: false, tied: c.tie_word_embeddings };
}

const h = "transformer.h.{}.";
/** Queries, keys or values: a third of the columns of c_attn, and of its bias. */
const third = (spec: WeightSpec, which: number): WeightSpec =>
  outputsOf(spec, { all: (c) => 3 * c.dModel, first: (c) => which * c.dModel, count: dModel });
const wQkv = (which: number): WeightSpec => third(conv1d(`${h}attn.c_attn.weight`, dModel, dModel), which);
const bQkv = (which: number): WeightSpec => third(vector(`${h}attn.c_attn.bias`, dModel), which);

/** GPT-2: sequential LayerNorm blocks, learned positions, matrices stored with inputs as rows, tied head. */
export const gpt2: Architecture = {
  norm: "layer",
  mlpNorm: true,
  rotaryStyle: null,
  gated: false,
  qkNorm: false,
  barePrefix: "transformer.",
  block: {
    "ln1.w": vector(`${h}ln_1.weight`, dModel),
    "ln1.b": vector(`${h}ln_1.bias`, dModel),
    "attn.W_Q": wQkv(0),
    "attn.b_Q": bQkv(0),
    "attn.W_K": wQkv(1),
    "attn.b_K": bQkv(1),
    "attn.W_V": wQkv(2),
    "attn.b_V": bQkv(2),
    "attn.W_O": conv1d(`${h}attn.c_proj.weight`, dModel, dModel),
    "attn.b_O": vector(`${h}attn.c_proj.bias`, dModel),
    "ln2.w": vector(`${h}ln_2.weight`, dModel),
    "ln2.b": vector(`${h}ln_2.bias`, dModel),
    "mlp.W_in": conv1d(`${h}mlp.c_fc.weight`, dModel, dMlp),
    "mlp.b_in": vector(`${h}mlp.c_fc.bias`, dMlp),
    "mlp.W_out": conv1d(`${h}mlp.c_proj.weight`, dMlp, dModel),
    "mlp.b_out": vector(`${h}mlp.c_proj.bias`, dModel),
  },
  outer: {
    "embed.W_E": linear("transformer.wte.weight", vocab, dModel),
    "pos_embed.W_pos": linear("transformer.wpe.weight", (c) => c.maxPos, dModel),
    "ln_final.w": vector("transformer.ln_f.weight", dModel),
    "ln_final.b": vector("transformer.ln_f.bias", dModel),
    "unembed.W_U": linear("lm_head.weight", vocab, dModel),
  },
  reads: Object.keys(schema.shape),
  readConfig,
};
