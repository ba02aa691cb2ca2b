import { z } from "zod";
import type { Architecture, ModelConfig } from "../architectures.ts";
import { activation, checkConfig, GELUS, only, size } from "./fields.ts";
import { dMlp, dModel, linear, vector, vocab } from "./specs.ts";

const schema = z.looseObject({
  n_embd: size,
  n_head: size,
  n_layer: size,
  n_inner: size.nullish(),
  n_positions: size,
  vocab_size: size,
  rotary_dim: size,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: GELUS.default("gelu_new"),
  tie_word_embeddings: only([false]),
  rope_scaling: only([null]),
  scale_attn_weights: only([true]),
});

function readConfig(json: unknown, path: string): ModelConfig {
  const c = checkConfig(schema, json, path);
  return {
    family: "gptj",
    nLayers: c.n_layer,
    dModel: c.n_embd,
    nHeads: c.n_head,
    nKvHeads: c.n_head,
    dHead: c.n_embd / c.n_head,
    dMlp: c.n_inner ?? 4 * c.n_embd,
    vocab: c.vocab_size,
    maxPos: c.n_positions,
    eps: c.layer_norm_epsilon,
    rotary: { dims: c.rotary_dim, theta: 10000 },
    parallel: true,
    activation: activation(c.activation_function),
    tied: false,
  };
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
  readConfig,
};
