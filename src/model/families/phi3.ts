import type { Architecture, ModelConfig, WeightSpec } from "../architectures.ts";
import { LLAMA_BLOCK, readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";
import { dMlp, dModel, kvWidth, linear, outputsOf, qWidth } from "./specs.ts";

type Size = (c: ModelConfig) => number;

const qkvAll: Size = (c) => (c.nHeads + 2 * c.nKvHeads) * c.dHead;

function ofQkv(first: Size, count: Size): WeightSpec {
  const spec = linear("model.layers.{}.self_attn.qkv_proj.weight", count, dModel);
  return outputsOf(spec, { all: qkvAll, first, count });
}

function ofGateUp(first: Size): WeightSpec {
  const spec = linear("model.layers.{}.mlp.gate_up_proj.weight", dMlp, dModel);
  return outputsOf(spec, { all: (c) => 2 * c.dMlp, first, count: dMlp });
}

const { "ln1.w": ln1, "attn.W_O": wO, "ln2.w": ln2, "mlp.W_out": wOut } = LLAMA_BLOCK;

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/phi3/configuration_phi3.py
const ABSENT = { rms_norm_eps: 1e-5 };

/** Phi-3 and Phi-4-mini with plain rotary embedding: Llama with queries, keys and values, and gate and up, in one tensor. */
export const phi3: Architecture = {
  ...llama,
  block: {
    "ln1.w": ln1!,
    "attn.W_Q": ofQkv(() => 0, qWidth),
    "attn.W_K": ofQkv(qWidth, kvWidth),
    "attn.W_V": ofQkv((c) => qWidth(c) + kvWidth(c), kvWidth),
    "attn.W_O": wO!,
    "ln2.w": ln2!,
    "mlp.W_gate": ofGateUp(() => 0),
    "mlp.W_in": ofGateUp(dMlp),
    "mlp.W_out": wOut!,
  },
  readConfig: (json, path) => readLlamaLike("phi3", json, path, { partialHeads: true, absent: ABSENT }),
};
