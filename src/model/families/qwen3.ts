import type { Architecture } from "../architectures.ts";
import { LLAMA_BLOCK, readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";
import { vector } from "./specs.ts";

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/qwen3/configuration_qwen3.py
const ABSENT = { num_key_value_heads: 32, sliding_window: 4096, head_dim: 128 };

/** Qwen3: Llama with RMS norms of every query and key head. */
export const qwen3: Architecture = {
  ...llama,
  qkNorm: true,
  block: {
    ...LLAMA_BLOCK,
    "attn.q_norm.w": vector("model.layers.{}.self_attn.q_norm.weight", (c) => c.dHead),
    "attn.k_norm.w": vector("model.layers.{}.self_attn.k_norm.weight", (c) => c.dHead),
  },
  readConfig: (json, path) => readLlamaLike("qwen3", json, path, { windowSwitch: true, absent: ABSENT }),
};
