import { z } from "zod";
import type { Architecture, ModelConfig } from "../architectures.ts";
import { checkConfig, only, size } from "./fields.ts";
import { GPT_FIELDS, gptSizes } from "./gpt_like.ts";
import { dMlp, dModel, linear, vector, vocab } from "./specs.ts";

const schema = z.looseObject({
  ...GPT_FIELDS,
  rotary_dim: size,
  tie_word_embeddings: only([false]),
});

function readConfig(json: unknown, path: string): ModelConfig {
  const c = checkConfig(schema, json, path);
  const rotary = { dims: c.rotary_dim, theta: 10000 };
  return { family: "gptj", ...gptSizes(c), rotary, parallel: true, tied: false };
}

const h = "transformer.h.{}.";

/** GPT-J: parallel blocks behind one LayerNorm, rotary pairs on a part of each head, head with bias. */
export const gptj: Architecture = {
  norm: "layer",
  mlpNorm: false,
  rotaryStyle: "pairs",
  gated: false,
  qkNorm: false,
  block: {
    "ln1.w": vector(`${h}ln_1.weight`, dModel),
    "ln1.b": vector(`${h}ln_1.bias`, dModel),
    "attn.W_Q": linear(`${h}attn.q_proj.weight`, dModel, dModel),
    "attn.W_K": linear(`${h}attn.k_proj.weight`, dModel, dModel),
    "attn.W_V": linear(`${h}attn.v_proj.weight`, dModel, dModel),
    "attn.W_O": linear(`${h}attn.out_proj.weight`, dModel, dModel),
    "mlp.W_in": linear(`${h}mlp.fc_in.weight`, dMlp, dModel),
    "mlp.b_in": vector(`${h}mlp.fc_in.bias`, dMlp),
    "mlp.W_out": linear(`${h}mlp.fc_out.weight`, dModel, dMlp),
    "mlp.b_out": vector(`${h}mlp.fc_out.bias`, dModel),
  },
  outer: {
    "embed.W_E": linear("transformer.wte.weight", vocab, dModel),
    "ln_final.w": vector("transformer.ln_f.weight", dModel),
    "ln_final.b": vector("transformer.ln_f.bias", dModel),
    "unembed.W_U": linear("lm_head.weight", vocab, dModel),
    "unembed.b_U": vector("lm_head.bias", vocab),
  },
  reads: Object.keys(schema.shape),
  readConfig,
};
