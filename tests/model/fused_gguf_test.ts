import { assert, assertEquals } from "@std/assert";
import { BLOCK_FORMATS } from "../../src/checkpoint/blocks/block_formats.ts";
import type { PackedFormat } from "../../src/checkpoint/weight_source.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { f32Bytes, rawGguf, type RawTensor, type Typed } from "../checkpoint/gguf_files.ts";
import { type PackedName, randomBlocks, unpacked } from "../reference/packed.ts";
import { TOKENIZER } from "./model_files.ts";

const gpu = await Gpu.open();
const IDS = [45, 268, 1478, 12, 900, 7, 2001];
const VOCAB = 2560;
const HEADS = 4;
const KV_HEADS = 2;
const LAYERS = 2;

/** A Phi-3 with fused tensors in one block format, and the same numbers as a Llama with a float32 tensor for each weight. */
function twins(name: PackedName, width: number, mlp: number): { gguf: RawTensor[]; split: TensorToWrite[] } {
  const random = new SeededRandom(7, "fused", name);
  const gguf: RawTensor[] = [];
  const split: TensorToWrite[] = [];
  const keep = (stored: string, rows: number, cols: number, values: Float32Array<ArrayBuffer>): void => {
    const shape = cols === 1 ? [rows] : [rows, cols];
    split.push({ name: `${stored}.weight`, dtype: "F32", shape, data: values });
  };
  /** A matrix of random blocks, whose rows are those of the named weights in turn. */
  const matrix = (stored: string, cols: number, parts: [name: string, rows: number][]): void => {
    const rows = parts.reduce((sum, [, count]) => sum + count, 0);
    const data = randomBlocks(name, rows * cols, () => random.uniform());
    const values = Float32Array.from(unpacked(name, data));
    gguf.push({
      name: `${stored}.weight`,
      type: BLOCK_FORMATS[name.toUpperCase() as PackedFormat].id,
      dims: [cols, rows],
      data,
    });
    let first = 0;
    for (const [part, count] of parts) {
      keep(part, count, cols, values.slice(first * cols, (first + count) * cols));
      first += count;
    }
  };
  /** Small factors, so that the blocks' large values give scores at which a softmax is no step. */
  const norm = (stored: string, part: string): void => {
    const values = Float32Array.from({ length: width }, () => 0.01 + 0.01 * random.uniform());
    gguf.push({ name: `${stored}.weight`, type: 0, dims: [width], data: f32Bytes(values) });
    keep(part, width, 1, values);
  };
  const dHead = width / HEADS;
  matrix("token_embd", width, [["model.embed_tokens", VOCAB]]);
  norm("output_norm", "model.norm");
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `model.layers.${layer}`;
    norm(`blk.${layer}.attn_norm`, `${at}.input_layernorm`);
    norm(`blk.${layer}.ffn_norm`, `${at}.post_attention_layernorm`);
    matrix(`blk.${layer}.attn_qkv`, width, [
      [`${at}.self_attn.q_proj`, width],
      [`${at}.self_attn.k_proj`, KV_HEADS * dHead],
      [`${at}.self_attn.v_proj`, KV_HEADS * dHead],
    ]);
    matrix(`blk.${layer}.attn_output`, width, [[`${at}.self_attn.o_proj`, width]]);
    matrix(`blk.${layer}.ffn_up`, width, [[`${at}.mlp.gate_proj`, mlp], [`${at}.mlp.up_proj`, mlp]]);
    matrix(`blk.${layer}.ffn_down`, mlp, [[`${at}.mlp.down_proj`, width]]);
  }
  return { gguf, split };
}

function metadata(width: number, mlp: number): [string, ...Typed][] {
  const sizes: [string, ...Typed][] = [
    ["block_count", "u32", LAYERS],
    ["context_length", "u32", 128],
    ["embedding_length", "u32", width],
    ["feed_forward_length", "u32", mlp],
    ["attention.head_count", "u32", HEADS],
    ["attention.head_count_kv", "u32", KV_HEADS],
    ["attention.layer_norm_rms_epsilon", "f32", 2 ** -16],
    ["rope.freq_base", "f32", 10000],
    // What llama.cpp's converter writes of a model without scaling and window.
    ["rope.scaling.original_context_length", "u32", 128],
    ["attention.sliding_window", "u32", 0],
  ];
  return [
    ["general.architecture", "string", "phi3"],
    ...sizes.map(([key, ...typed]): [string, ...Typed] => [
      `phi3.${key}`,
      ...typed,
    ]),
  ];
}

const config = (width: number, mlp: number): Record<string, unknown> => ({
  model_type: "llama",
  hidden_size: width,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  num_key_value_heads: KV_HEADS,
  intermediate_size: mlp,
  max_position_embeddings: 128,
  rms_norm_eps: 2 ** -16,
  rope_theta: 10000,
  hidden_act: "silu",
  vocab_size: VOCAB,
  tie_word_embeddings: true,
});

async function allLogits(model: Model): Promise<Float32Array> {
  using cache = model.forward(IDS, { logits: "all" });
  return (await cache.read("logits"))["logits"]! as Float32Array;
}

for (
  const [name, width, mlp] of [
    ["q4_0", 64, 96],
    ["q4_1", 64, 96],
    ["q8_0", 64, 96],
    ["q4_k", 256, 512],
    ["q6_k", 256, 512],
  ] as const
) {
  Deno.test(`loadModel() splits the fused tensors of a ${name} Phi-3 between whole blocks and keeps them packed`, () =>
    withFolder(async (dir) => {
      const { gguf, split } = twins(name, width, mlp);
      await Deno.writeFile(`${dir}/model.gguf`, rawGguf({ metadata: metadata(width, mlp), tensors: gguf }));
      await writeSafetensors(`${dir}/wide/model.safetensors`, split);
      await Deno.writeTextFile(`${dir}/wide/config.json`, JSON.stringify(config(width, mlp)));
      using packed = await loadModel(gpu, `${dir}/model.gguf`, { tokenizer: TOKENIZER });
      using wide = await loadModel(gpu, `${dir}/wide`, { tokenizer: TOKENIZER });
      for (const weight of ["attn.W_Q", "attn.W_K", "attn.W_V", "attn.W_O", "mlp.W_gate", "mlp.W_in", "mlp.W_out"]) {
        const full = `blocks.1.${weight}`;
        assertEquals([packed.weights.get(full).dtype, wide.weights.get(full).dtype], [name, "f32"]);
        assertEquals(packed.weights.get(full).shape, wide.weights.get(full).shape);
      }
      const [got, want] = [await allLogits(packed), await allLogits(wide)];
      const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i]!)), 0);
      // Both add the same numbers in f32, in another order: the rounding of sums of a few hundred terms, two layers deep.
      assert(scale > 0.1 && error <= mlp * 2 ** -24 * scale, `${error} of ${scale}`);
    }));
}

Deno.test("loading fused blocks leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
