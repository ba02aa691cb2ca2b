import { assert, assertEquals, assertRejects } from "@std/assert";
import { BLOCK_FORMATS, type FormatName, widenBlocks } from "../../src/checkpoint/blocks/block_formats.ts";
import { openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { GgufWeights } from "../../src/checkpoint/gguf_weights.ts";
import { conversionsOf, describeConversion } from "../../src/checkpoint/load_report.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import type { WeightSource } from "../../src/checkpoint/weight_source.ts";
import { GoldenTensors } from "../../src/evaluation/conformance/golden_tensors.ts";
import { withFolder } from "./files.ts";
import { f32Bytes, memorySource, rawGguf } from "./gguf_files.ts";
import { openSmall, smallGguf } from "./gguf_models.ts";

const GOLDENS = "fixtures/goldens/gguf";
const QUERIES = "model.layers.1.self_attn.q_proj.weight";

/** Rows of queries or keys in Hugging Face order, by the definition in the goldens' README. */
function toHalves(values: ArrayLike<number>, heads: number, dHead: number): number[] {
  const cols = values.length / (heads * dHead);
  const out: number[] = [];
  for (let head = 0; head < heads; head++) {
    for (let half = 0; half < 2; half++) {
      for (let i = 0; i < dHead / 2; i++) {
        const row = head * dHead + 2 * i + half;
        for (let col = 0; col < cols; col++) out.push(values[row * cols + col]! + 0);
      }
    }
  }
  return out;
}

/** Reference values of a tensor in the order of the file. */
async function reference(file: string, tensor: string): Promise<Float64Array> {
  using golden = await GoldenTensors.open(`${GOLDENS}/${file}.dequantised.safetensors`);
  return await golden.values(tensor);
}

/** Values of a weight, whatever its type. */
async function values(source: WeightSource, name: string): Promise<number[]> {
  const { dtype } = source.tensors.get(name)!;
  return [...widenBlocks(dtype as FormatName, await source.read(name))].map((value) => value + 0);
}

Deno.test("GgufWeights has the names, shapes and types of a Hugging Face folder", async () => {
  using weights = await GgufWeights.open(`${GOLDENS}/q4_0.gguf`);
  const block = (layer: number): [string, string, number[]][] => [
    [`model.layers.${layer}.input_layernorm.weight`, "F32", [64]],
    [`model.layers.${layer}.mlp.down_proj.weight`, "Q4_0", [64, 96]],
    [`model.layers.${layer}.mlp.gate_proj.weight`, "Q4_0", [96, 64]],
    [`model.layers.${layer}.mlp.up_proj.weight`, "Q4_0", [96, 64]],
    [`model.layers.${layer}.post_attention_layernorm.weight`, "F32", [64]],
    [`model.layers.${layer}.self_attn.k_proj.weight`, "Q4_0", [32, 64]],
    [`model.layers.${layer}.self_attn.o_proj.weight`, "Q4_0", [64, 64]],
    [`model.layers.${layer}.self_attn.q_proj.weight`, "Q4_0", [64, 64]],
    [`model.layers.${layer}.self_attn.v_proj.weight`, "Q4_0", [32, 64]],
  ];
  assertEquals(
    [...weights.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]).sort(),
    [["model.embed_tokens.weight", "Q4_0", [300, 64]], ...block(0), ...block(1), ["model.norm.weight", "F32", [64]]],
  );
  assertEquals(weights.tensors.get("model.embed_tokens.weight")!.byteLength, 300 * 2 * 18);
  assertEquals(weights.path, `${GOLDENS}/q4_0.gguf`);
  const error = await assertRejects(() => weights.read("lm_head.weight"), FileError);
  assertEquals(
    error.message,
    `Cannot find tensor "lm_head.weight" in ${GOLDENS}/q4_0.gguf: the file holds 20 others; check the name`,
  );
});

for (const name of ["f32", "q4_0", "q4_1", "q5_0", "q8_0"]) {
  for (const packed of [undefined, []] as const) {
    Deno.test(`GgufWeights gives ${name} in Hugging Face row order, ${packed ? "widened" : "packed"}`, async () => {
      using weights = await GgufWeights.open(`${GOLDENS}/${name}.gguf`, packed);
      if (packed) assertEquals(weights.tensors.get(QUERIES)!.dtype, "F32");
      const keys = "model.layers.0.self_attn.k_proj.weight";
      assertEquals(await values(weights, QUERIES), toHalves(await reference(name, "blk.1.attn_q.weight"), 4, 16));
      assertEquals(await values(weights, keys), toHalves(await reference(name, "blk.0.attn_k.weight"), 2, 16));
      const down = await values(weights, "model.layers.0.mlp.down_proj.weight");
      assertEquals(down, [...await reference(name, "blk.0.ffn_down.weight")].map((value) => value + 0));
    });
  }
}

Deno.test("GgufWeights gives the same bytes in pieces of any size, whole blocks each", async () => {
  for (const file of ["q4_1", "f16"]) {
    for (const packed of [undefined, []] as const) {
      using weights = await GgufWeights.open(`${GOLDENS}/${file}.gguf`, packed);
      for (const name of [QUERIES, "model.layers.1.mlp.up_proj.weight"]) {
        const whole = await weights.read(name);
        const { dtype } = weights.tensors.get(name)!;
        const block = BLOCK_FORMATS[dtype as FormatName].bytes;
        for (const most of [128, 130, 300, 999, 5000, 1e9]) {
          const pieces = await Array.fromAsync(weights.chunks(name, most));
          assert(pieces.every(({ length }) => length > 0 && length <= most && length % block === 0), `${most}`);
          assertEquals(new Uint8Array(await new Blob(pieces).arrayBuffer()), whole);
        }
      }
    }
  }
});

Deno.test("GgufWeights refuses pieces that hold no block", async () => {
  using weights = await GgufWeights.open(`${GOLDENS}/q4_1.gguf`);
  await assertRejects(
    () => Array.fromAsync(weights.chunks(QUERIES, 19)),
    RangeError,
    `Cannot read "${QUERIES}" in pieces of 19 bytes: wanted at least 20`,
  );
});

Deno.test("GgufWeights never reads more than twice a piece at a time", async () => {
  const bytes = await Deno.readFile(`${GOLDENS}/q4_0.gguf`);
  const reads: number[] = [];
  using weights = await GgufWeights.from(await GgufFile.from(memorySource(bytes, reads)));
  reads.length = 0;
  for (const name of weights.tensors.keys()) for await (const _ of weights.chunks(name, 180));
  assert(Math.max(...reads) <= 360, String(Math.max(...reads)));
});

Deno.test("GgufWeights has the hash of a folder with the same tensors, and keeps it when blocks are widened", async () => {
  using weights = await GgufWeights.open(`${GOLDENS}/f32.gguf`);
  await withFolder(async (dir) => {
    const tensors = await Promise.all(
      [...weights.tensors].map(async ([name, { shape }]) => ({
        name,
        dtype: "F32" as const,
        shape,
        data: await weights.read(name),
      })),
    );
    await Deno.writeTextFile(`${dir}/config.json`, "{}");
    await writeSafetensors(`${dir}/model.safetensors`, tensors);
    using folder = await openCheckpoint(dir);
    assertEquals(await weights.hash(), await folder.hash());
  });
  using packed = await GgufWeights.open(`${GOLDENS}/q4_0.gguf`);
  using widened = await GgufWeights.open(`${GOLDENS}/q4_0.gguf`, []);
  assertEquals(await packed.hash(), await widened.hash());
});

Deno.test("conversionsOf() says what is rewritten and what is widened", async () => {
  using weights = await openSmall({
    metadata: { ".embedding_length": ["u32", 256], ".attention.head_count": ["u32", 64] },
    tensors: {
      "token_embd.weight": { format: "Q5_0", dims: [256, 5] },
      "output.weight": { format: "Q5_1", dims: [256, 5] },
      "blk.0.ffn_up.weight": { format: "Q3_K", dims: [256, 16] },
      "blk.0.ffn_gate.weight": { format: "Q3_K", dims: [256, 16] },
      "blk.0.attn_v.weight": { format: "Q6_K", dims: [256, 4] },
      "blk.0.attn_output.weight": { format: "IQ4_XS", dims: [256, 8] },
      "blk.0.attn_q.weight": null,
    },
  });
  assertEquals(conversionsOf(weights).map(describeConversion), [
    "1 tensor of Q5_0 loaded as Q8_0, values unchanged, 0.0 MB",
    "1 tensor of IQ4_XS loaded as F32, values unchanged, 0.0 MB",
    "2 tensors of Q3_K loaded as Q6_K, values unchanged, 0.0 MB",
    "1 tensor of Q5_1 loaded as F32, values unchanged, 0.0 MB",
  ]);
  assertEquals(conversionsOf(weights)[2]!.tensors.toSorted(), [
    "model.layers.0.mlp.gate_proj.weight",
    "model.layers.0.mlp.up_proj.weight",
  ]);
  assertEquals(conversionsOf(weights)[2]!.byteLength, 2 * 16 * 210);
});

Deno.test("GgufWeights turns the rows of biases with those of their matrices, and none of other architectures", async () => {
  const bias = { dims: [8], data: f32Bytes([0, 1, 2, 3, 4, 5, 6, 7]) };
  const found: number[][] = [];
  for (const architecture of ["llama", "qwen2"]) {
    using weights = await openSmall({ architecture, tensors: { "blk.0.attn_q.bias": bias } });
    found.push(await values(weights, "model.layers.0.self_attn.q_proj.bias"));
  }
  assertEquals(found, [[0, 2, 1, 3, 4, 6, 5, 7], [0, 1, 2, 3, 4, 5, 6, 7]]);
});

Deno.test("GgufWeights refuses tensors that are not of its architecture", async () => {
  for (const name of ["blk.0.ffn_up_exps.weight", "position_embd.weight", "blk.0.attn_q_norm.weight", "token_embd"]) {
    const error = await assertRejects(() => openSmall({ tensors: { [name]: { dims: [8] } } }), FileError);
    assertEquals(
      error.message,
      `Cannot use x.gguf: tensor "${name}" is not part of a llama model; choose another model`,
    );
  }
  const error = await assertRejects(
    () => openSmall({ tensors: { "blk.0.attn_k.weight": { dims: [8, 5] } } }),
    FileError,
  );
  assertEquals(
    error.message,
    'Cannot use x.gguf: tensor "blk.0.attn_k.weight" has 5 rows, wanted 1 heads of 4, an even number; ' +
      "fetch or convert the file again",
  );
});

Deno.test("GgufWeights never fails in another way when any byte of a small model's header is flipped", async () => {
  const good = rawGguf(smallGguf({ tensors: { "rope_freqs.weight": { dims: [2], data: f32Bytes([1, 1]) } } }));
  using file = await GgufFile.from(memorySource(good));
  const headerEnd = Math.min(...[...file.tensors.values()].map(({ start }) => start));
  let refused = 0;
  for (let at = 0; at < headerEnd; at++) {
    const bytes = good.slice();
    bytes[at]! ^= 0xff;
    try {
      using weights = await GgufWeights.from(await GgufFile.from(memorySource(bytes)));
      for (const name of weights.tensors.keys()) for await (const _ of weights.chunks(name, 4096));
    } catch (error) {
      assert(error instanceof FileError, `byte ${at}: ${error}`);
      refused++;
    }
  }
  assert(refused > headerEnd / 2, `${refused} of ${headerEnd}`);
});
