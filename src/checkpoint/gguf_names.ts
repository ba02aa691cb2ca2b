/**
 * Names of tensors: those of GGUF files to those of Hugging Face, by architecture.
 *
 * @module
 */

/** What differs between the architectures of GGUF files that can be read. */
export interface GgufArchitecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** Whether rows of queries and keys are ordered for the rotation of neighbouring pairs. */
  readonly pairs: boolean;
  /** Hugging Face names by GGUF name, both without `.weight` or `.bias`; `{}` stands for the layer. */
  readonly names: Readonly<Record<string, string>>;
}

const OUTER = { "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head" };

const NORMS = {
  "blk.{}.attn_norm": "model.layers.{}.input_layernorm",
  "blk.{}.ffn_norm": "model.layers.{}.post_attention_layernorm",
};

const SPLIT = {
  ...OUTER,
  ...NORMS,
  "blk.{}.attn_q": "model.layers.{}.self_attn.q_proj",
  "blk.{}.attn_k": "model.layers.{}.self_attn.k_proj",
  "blk.{}.attn_v": "model.layers.{}.self_attn.v_proj",
  "blk.{}.attn_output": "model.layers.{}.self_attn.o_proj",
  "blk.{}.ffn_gate": "model.layers.{}.mlp.gate_proj",
  "blk.{}.ffn_up": "model.layers.{}.mlp.up_proj",
  "blk.{}.ffn_down": "model.layers.{}.mlp.down_proj",
};

const HEAD_NORMS = {
  "blk.{}.attn_q_norm": "model.layers.{}.self_attn.q_norm",
  "blk.{}.attn_k_norm": "model.layers.{}.self_attn.k_norm",
};

const FUSED = {
  ...OUTER,
  ...NORMS,
  "blk.{}.attn_qkv": "model.layers.{}.self_attn.qkv_proj",
  "blk.{}.attn_output": "model.layers.{}.self_attn.o_proj",
  "blk.{}.ffn_up": "model.layers.{}.mlp.gate_up_proj",
  "blk.{}.ffn_down": "model.layers.{}.mlp.down_proj",
};

/**
 * Architectures by `general.architecture`. Llama's also stands for Mistral and SmolLM.
 *
 * Not here, as their files hold other numbers than Hugging Face's: gpt2 (matrices transposed), gptneox (rows of the
 * fused projection in another order), gemma (one added to every norm weight).
 */
export const GGUF_ARCHITECTURES: Readonly<Record<string, GgufArchitecture>> = {
  llama: { modelType: "llama", pairs: true, names: SPLIT },
  qwen2: { modelType: "qwen2", pairs: false, names: SPLIT },
  qwen3: { modelType: "qwen3", pairs: false, names: { ...SPLIT, ...HEAD_NORMS } },
  phi3: { modelType: "phi3", pairs: false, names: FUSED },
};

/**
 * Hugging Face name of a tensor.
 *
 * @returns Undefined where the architecture has no such tensor.
 */
export function huggingFaceName({ names }: GgufArchitecture, name: string): string | undefined {
  const parts = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name);
  if (parts === null) return undefined;
  const [, layer, base, kind] = parts as unknown as [string, string | undefined, string, string];
  const key = layer === undefined ? base : `blk.{}.${base}`;
  return Object.hasOwn(names, key) ? `${names[key]!.replace("{}", layer ?? "")}.${kind}` : undefined;
}
