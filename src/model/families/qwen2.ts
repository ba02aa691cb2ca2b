import type { Architecture } from "../architectures.ts";
import { LLAMA_BLOCK, readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";

const { "attn.b_O": _noBias, ...block } = LLAMA_BLOCK;

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/qwen2/configuration_qwen2.py
const ABSENT = { num_key_value_heads: 32, sliding_window: 4096 };

/** Qwen2 and Qwen2.5: Llama with biases of queries, keys and values, whatever the config says of biases. */
export const qwen2: Architecture = {
  ...llama,
  block,
  readConfig: (json, path) => ({
    ...readLlamaLike("qwen2", json, path, { windowSwitch: true, absent: ABSENT }),
    biases: { attn: true, mlp: false },
  }),
};
