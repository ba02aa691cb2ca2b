/**
 * What the configs of GPT-2 and GPT-J share: sizes under the names of the first GPT.
 *
 * @module
 */
import { z } from "zod";
import type { ModelConfig } from "../architectures.ts";
import { activation, GELUS, only, size } from "./fields.ts";

/** Fields of both configs. */
export const GPT_FIELDS = {
  n_embd: size,
  n_head: size,
  n_layer: size,
  n_inner: size.nullish(),
  n_positions: size,
  vocab_size: size,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: GELUS.default("gelu_new"),
  scale_attn_weights: only([true]),
} as const;

/** What {@linkcode GPT_FIELDS} give when parsed. */
export type GptFields = z.infer<z.ZodObject<typeof GPT_FIELDS>>;

/** Sizes, epsilon and activation of both families. */
export function gptSizes(c: GptFields): Omit<ModelConfig, "family" | "rotary" | "parallel" | "tied"> {
  return {
    nLayers: c.n_layer,
    dModel: c.n_embd,
    nHeads: c.n_head,
    nKvHeads: c.n_head,
    dHead: c.n_embd / c.n_head,
    dMlp: c.n_inner ?? 4 * c.n_embd,
    vocab: c.vocab_size,
    maxPos: c.n_positions,
    eps: c.layer_norm_epsilon,
    activation: activation(c.activation_function),
  };
}
