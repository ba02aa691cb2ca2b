import type { Architecture } from "../architectures.ts";
import { LLAMA_BLOCK, readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";

const { "attn.b_O": _noBias, ...block } = LLAMA_BLOCK;

/** Qwen2 and Qwen2.5: Llama with biases of queries, keys and values, whatever the config says of biases. */
export const qwen2: Architecture = {
  ...llama,
  block,
  readConfig: (json, path) => ({
    ...readLlamaLike("qwen2", json, path, { windowUnlessTold: false }),
    biases: { attn: true, mlp: false },
  }),
};
