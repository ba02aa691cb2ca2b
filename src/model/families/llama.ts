import type { Architecture } from "../architectures.ts";
import { LLAMA_BLOCK, LLAMA_OUTER, LLAMA_READS, readLlamaLike } from "./llama_like.ts";

/** Llama 2 and 3, SmolLM2: sequential RMS-norm blocks, gated MLP, grouped key/value heads. */
export const llama: Architecture = {
  norm: "rms",
  mlpNorm: true,
  rotaryStyle: "halves",
  gated: true,
  qkNorm: false,
  barePrefix: "model.",
  block: LLAMA_BLOCK,
  outer: LLAMA_OUTER,
  reads: LLAMA_READS,
  readConfig: (json, path) => readLlamaLike("llama", json, path),
};
