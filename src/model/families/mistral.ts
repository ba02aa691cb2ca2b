import type { Architecture } from "../architectures.ts";
import { readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";

// https://github.com/huggingface/transformers/blob/main/src/transformers/models/mistral/configuration_mistral.py
const ABSENT = { num_key_value_heads: 8, sliding_window: 4096 };

/** Mistral: Llama with an attention window, to which the context is limited. */
export const mistral: Architecture = {
  ...llama,
  readConfig: (json, path) => readLlamaLike("mistral", json, path, { absent: ABSENT }),
};
