import type { Architecture } from "../architectures.ts";
import { readLlamaLike } from "./llama_like.ts";
import { llama } from "./llama.ts";

/** Mistral: Llama with an attention window, to which the context is limited. */
export const mistral: Architecture = { ...llama, readConfig: (json, path) => readLlamaLike("mistral", json, path) };
