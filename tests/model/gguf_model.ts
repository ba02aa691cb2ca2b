/**
 * The small Qwen3 golden as a GGUF file.
 *
 * @module
 */
import type { RawGguf, Typed } from "../checkpoint/gguf_files.ts";
import { EDITING, readTensors } from "./model_files.ts";

/** GGUF names of a Qwen3's tensors, as llama.cpp's converter gives them. */
const NAMES: readonly [RegExp, string][] = [
  [/^model\.embed_tokens\./, "token_embd."],
  [/^lm_head\./, "output."],
  [/^model\.norm\./, "output_norm."],
  [/^model\.layers\.(\d+)\./, "blk.$1."],
  [/input_layernorm/, "attn_norm"],
  [/post_attention_layernorm/, "ffn_norm"],
  [/self_attn\.([qk])_norm/, "attn_$1_norm"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/self_attn\.o_proj/, "attn_output"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
];

/** The small Qwen3 as a GGUF file with the same float32 values. */
export async function qwen3Gguf(): Promise<RawGguf> {
  const sizes: [string, ...Typed][] = [
    ["block_count", "u32", 6],
    ["context_length", "u32", 128],
    ["embedding_length", "u32", 48],
    ["feed_forward_length", "u32", 80],
    ["attention.head_count", "u32", 4],
    ["attention.head_count_kv", "u32", 2],
    ["attention.key_length", "u32", 16],
    ["attention.value_length", "u32", 16],
    ["attention.layer_norm_rms_epsilon", "f32", 1e-6],
    ["rope.freq_base", "f32", 10000],
  ];
  const tensors = await readTensors(`${EDITING}/qwen3/model.safetensors`);
  return {
    metadata: [
      ["general.architecture", "string", "qwen3"],
      ...sizes.map(([key, type, value]) => [`qwen3.${key}`, type, value] as const),
    ],
    tensors: [...tensors.values()].map(({ name, shape, data }) => ({
      name: NAMES.reduce((text, [from, to]) => text.replace(from, to), name),
      type: 0,
      dims: shape.toReversed(),
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
  };
}
