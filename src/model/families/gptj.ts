import { z } from "zod";
import type { Architecture, ModelConfig, WeightSpec } from "../architectures.ts";
import { checkConfig, only, size } from "./fields.ts";

const schema = z.looseObject({
  n_embd: size,
  n_head: size,
  n_layer: size,
  n_inner: size.nullish(),
  n_positions: size,
  vocab_size: size,
  rotary_dim: size,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.enum(["gelu_new", "gelu", "gelu_pytorch_tanh"]).default("gelu_new"),
  tie_word_embeddings: only([false]),
  rope_scaling: only([null]),
  scale_attn_weights: only([true]),
  quantization_config: only([null]),
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
    activation: c.activation_function === "gelu" ? "gelu_exact" : "gelu_tanh",
    tied: false,
  };
}

const vector = (name: string, length: (c: ModelConfig) => number): WeightSpec => ({
  name,
  shape: (c) => [length(c)],
  layout: "vector",
});
const linear = (name: string, shape: (c: ModelConfig) => number[]): WeightSpec => ({ name, shape, layout: "out_in" });
const d = (c: ModelConfig): number => c.dModel;

/** GPT-J: parallel blocks behind one LayerNorm, rotary pairs on a part of each head, head with bias. */
export const gptj: Architecture = {
  norm: "layer",
  parallel: true,
  rotaryStyle: "pairs",
  gated: false,
  qkNorm: false,
  block: {
    "ln1.w": vector("transformer.h.{}.ln_1.weight", d),
    "ln1.b": vector("transformer.h.{}.ln_1.bias", d),
    "attn.W_Q": linear("transformer.h.{}.attn.q_proj.weight", (c) => [c.nHeads * c.dHead, c.dModel]),
    "attn.W_K": linear("transformer.h.{}.attn.k_proj.weight", (c) => [c.nHeads * c.dHead, c.dModel]),
    "attn.W_V": linear("transformer.h.{}.attn.v_proj.weight", (c) => [c.nHeads * c.dHead, c.dModel]),
    "attn.W_O": linear("transformer.h.{}.attn.out_proj.weight", (c) => [c.dModel, c.nHeads * c.dHead]),
    "mlp.W_in": linear("transformer.h.{}.mlp.fc_in.weight", (c) => [c.dMlp, c.dModel]),
    "mlp.b_in": vector("transformer.h.{}.mlp.fc_in.bias", (c) => c.dMlp),
    "mlp.W_out": linear("transformer.h.{}.mlp.fc_out.weight", (c) => [c.dModel, c.dMlp]),
    "mlp.b_out": vector("transformer.h.{}.mlp.fc_out.bias", d),
  },
  outer: {
    "embed.W_E": linear("transformer.wte.weight", (c) => [c.vocab, c.dModel]),
    "ln_final.w": vector("transformer.ln_f.weight", d),
    "ln_final.b": vector("transformer.ln_f.bias", d),
    "unembed.W_U": linear("lm_head.weight", (c) => [c.vocab, c.dModel]),
    "unembed.b_U": vector("lm_head.bias", (c) => c.vocab),
  },
  readConfig,
};
