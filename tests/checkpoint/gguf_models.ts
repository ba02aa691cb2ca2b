/**
 * Small GGUF models for tests, made by hand: metadata that a present converter writes, weights of zeros unless given.
 *
 * @module
 */
import { BLOCK_FORMATS, type FormatName } from "../../src/checkpoint/blocks/block_formats.ts";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { GgufWeights } from "../../src/checkpoint/gguf_weights.ts";
import type { PackedFormat } from "../../src/checkpoint/weight_source.ts";
import { memorySource, type RawGguf, rawGguf, type RawTensor, type Typed } from "./gguf_files.ts";

/** What to change in a small model. */
export interface GgufChange {
  /** `general.architecture`; llama unless told. */
  architecture?: string;
  /** Metadata to set by key, or to leave out; keys that start with a dot are the architecture's. */
  metadata?: Record<string, Typed | null>;
  /** Formats and dimensions to set by tensor, or tensors to leave out. */
  tensors?: Record<string, { format?: FormatName; dims: number[]; data?: Uint8Array } | null>;
}

const METADATA: Record<string, Typed> = {
  ".block_count": ["u32", 1],
  ".context_length": ["u32", 128],
  ".embedding_length": ["u32", 8],
  ".feed_forward_length": ["u32", 16],
  ".attention.head_count": ["u32", 2],
  ".attention.head_count_kv": ["u32", 1],
  ".attention.layer_norm_rms_epsilon": ["f32", 0.5],
  ".rope.freq_base": ["f32", 10000],
  "tokenizer.ggml.model": ["string", "gpt2"],
  "tokenizer.ggml.tokens": ["array", ["string", ["a", "b", "c", "d", "e"]]],
};

const TENSORS: Record<string, number[]> = {
  "token_embd.weight": [8, 5],
  "output_norm.weight": [8],
  "blk.0.attn_norm.weight": [8],
  "blk.0.attn_q.weight": [8, 8],
  "blk.0.attn_k.weight": [8, 4],
  "blk.0.attn_v.weight": [8, 4],
  "blk.0.attn_output.weight": [8, 8],
  "blk.0.ffn_norm.weight": [8],
  "blk.0.ffn_gate.weight": [8, 16],
  "blk.0.ffn_up.weight": [8, 16],
  "blk.0.ffn_down.weight": [16, 8],
};

/** Changes that give a small model the fused tensors of Phi-3. */
export const FUSED_TENSORS: NonNullable<GgufChange["tensors"]> = {
  "blk.0.attn_q.weight": null,
  "blk.0.attn_k.weight": null,
  "blk.0.attn_v.weight": null,
  "blk.0.ffn_gate.weight": null,
  "blk.0.attn_qkv.weight": { dims: [8, 16] },
  "blk.0.ffn_up.weight": { dims: [8, 32] },
};

/** What to write for a small model of one layer, width 8 and two heads on one key/value head. */
export function smallGguf({ architecture = "llama", metadata = {}, tensors = {} }: GgufChange = {}): RawGguf {
  const pairs = Object.entries({ "general.architecture": ["string", architecture] as Typed, ...METADATA, ...metadata });
  const entries = Object.entries<{ format?: FormatName; dims: number[]; data?: Uint8Array } | null>({
    ...Object.fromEntries(Object.entries(TENSORS).map(([name, dims]) => [name, { dims }])),
    ...tensors,
  });
  return {
    metadata: pairs.flatMap(([key, typed]) =>
      typed === null ? [] : [[key.startsWith(".") ? architecture + key : key, ...typed] as const]
    ),
    tensors: entries.flatMap(([name, tensor]): RawTensor[] => {
      if (tensor === null) return [];
      const { format = "F32", dims, data } = tensor;
      const { id, values, bytes } = BLOCK_FORMATS[format];
      const size = dims.reduce((a, b) => a * b, 1) / values * bytes;
      return [{ name, type: id, dims, data: data ?? new Uint8Array(size) }];
    }),
  };
}

/** Opens a small model in memory. */
export async function openSmall(change: GgufChange = {}, packed?: readonly PackedFormat[]): Promise<GgufWeights> {
  return await GgufWeights.from(await GgufFile.from(memorySource(rawGguf(smallGguf(change)))), packed);
}
