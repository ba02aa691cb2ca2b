import { assert, assertEquals } from "@std/assert";
import { openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { toBf16 } from "../../src/checkpoint/half.ts";
import { exportModel } from "../../src/editing/export_model.ts";
import { saveEdit } from "../../src/editing/patch_file.ts";
import { largestAbsolute, largestError } from "../../src/evaluation/conformance/checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { withFolder } from "../checkpoint/files.ts";
import { rawGguf } from "../checkpoint/gguf_files.ts";
import { smallGguf } from "../checkpoint/gguf_models.ts";
import { lastLogits, readTensors } from "../model/model_files.ts";
import { randomEdit } from "./small_edits.ts";

const GOLDENS = "fixtures/goldens/gguf";
const TEXT = "the capital of France\nis  Paris, isn't it? 12";

const gpu = await Gpu.open();

/** Name on the hub of a tensor of the golden llamas, and the heads whose rotary pairs its rows hold; 0 for other rows. */
function hubName(name: string): { name: string; heads: number } {
  const parts: Record<string, string> = {
    attn_norm: "input_layernorm",
    ffn_norm: "post_attention_layernorm",
    attn_q: "self_attn.q_proj",
    attn_k: "self_attn.k_proj",
    attn_v: "self_attn.v_proj",
    attn_output: "self_attn.o_proj",
    ffn_gate: "mlp.gate_proj",
    ffn_up: "mlp.up_proj",
    ffn_down: "mlp.down_proj",
  };
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  if (part === undefined) {
    return { name: { "token_embd.weight": "model.embed_tokens.weight" }[name] ?? "model.norm.weight", heads: 0 };
  }
  const heads = { attn_q: 4, attn_k: 2 }[part] ?? 0;
  return { name: `model.layers.${layer}.${parts[part]}.weight`, heads };
}

/** Rows as on the hub: the pairs that rotary embedding turns lie half a head apart there, side by side in GGUF. */
function unpaired(values: Float32Array, heads: number, cols: number): Float32Array {
  if (heads === 0) return values;
  const half = values.length / cols / heads / 2;
  const rows = Array.from({ length: 2 * half * heads }, (_, row) => {
    const [head, inHead] = [Math.floor(row / (2 * half)), row % (2 * half)];
    return 2 * half * head + 2 * (inHead % half) + Math.floor(inHead / half);
  });
  return Float32Array.from(rows.flatMap((row) => [...values.subarray(row * cols, (row + 1) * cols)]));
}

/** Dequantised values of a golden file, by name on the hub: made by the reference implementation of the format. */
async function dequantised(name: string): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (
    const { name: stored, shape, data } of (await readTensors(`${GOLDENS}/${name}.dequantised.safetensors`)).values()
  ) {
    const { name, heads } = hubName(stored);
    const floats = new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 4);
    values.set(name, unpaired(floats, heads, shape.at(-1)!));
  }
  return values;
}

/** Largest difference of two rows of logits, as a part of the largest logit. */
function distance(got: Float32Array, want: Float32Array): number {
  return largestError(got, want) / largestAbsolute(want);
}

for (const name of ["q4_0", "q4_1", "q5_0", "q8_0"]) {
  for (const dtype of ["keep", "bf16"] as const) {
    Deno.test(`exportModel() writes a patched ${name} file as ${dtype}: dequantised values, bit for bit, and the edit`, () =>
      withFolder(async (dir) => {
        const file = `${dir}/${name}.gguf`;
        await Deno.copyFile(`${GOLDENS}/${name}.gguf`, file);
        using model = await loadModel(gpu, file);
        using edit = randomEdit(model, "first", [1]);
        await saveEdit(edit, `${dir}/edit.safetensors`);
        const before = await lastLogits(model, [84, 258, 257, 65]);
        const report = await exportModel(gpu, file, `${dir}/out`, { patches: [`${dir}/edit.safetensors`], dtype });
        assertEquals(report.edits.map(({ tensor }) => tensor), ["model.layers.1.mlp.down_proj.weight"]);

        using checkpoint = await openCheckpoint(`${dir}/out`);
        const wanted = await dequantised(name);
        assertEquals([...checkpoint.tensors.keys()].sort(), [...wanted.keys()].sort());
        for (const [tensor, values] of wanted) {
          assertEquals(checkpoint.tensors.get(tensor)!.dtype, dtype === "keep" ? "F32" : "BF16");
          const bits = dtype === "keep" ? values : toBf16(values);
          const want = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
          const got = await checkpoint.read(tensor);
          const same = got.length === want.length && got.every((byte, i) => byte === want[i]);
          assertEquals(same, tensor !== "model.layers.1.mlp.down_proj.weight", tensor);
        }

        if (dtype === "bf16") return;
        using exported = await loadModel(gpu, `${dir}/out`);
        edit.apply();
        const want = await lastLogits(model, [84, 258, 257, 65]);
        // The tolerance of the goldens of GGUF: packed and wide kernels add in another order.
        assert(distance(await lastLogits(exported, [84, 258, 257, 65]), want) < 1e-5);
        assert(distance(before, want) > 1e-2);
      }));
  }
}

Deno.test("exportModel() writes the tokenizer that the metadata describe, where there is no tokenizer.json", () =>
  withFolder(async (dir) => {
    const file = `${dir}/q4_1.gguf`;
    await Deno.copyFile(`${GOLDENS}/q4_1.gguf`, file);
    const { files } = await exportModel(gpu, file, `${dir}/out`);
    assertEquals(files, ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]);
    const reference = await Tokenizer.load(GOLDENS);
    const written = await Tokenizer.load(`${dir}/out`);
    assertEquals(written.encodeWithOffsets(TEXT), reference.encodeWithOffsets(TEXT));
    assertEquals([written.bosId, written.eosId, written.size], [0, 0, 300]);
    const json = JSON.parse(await Deno.readTextFile(`${dir}/out/tokenizer.json`));
    assertEquals([json.version, json.truncation, json.padding], ["1.0", null, null]);
    // What lies beside the model is taken as it is.
    await Deno.writeTextFile(`${dir}/tokenizer.json`, "{}");
    await exportModel(gpu, file, `${dir}/again`);
    assertEquals(await Deno.readTextFile(`${dir}/again/tokenizer.json`), "{}");
  }));

Deno.test("exportModel() writes no tokenizer where the metadata hold none that is known", () =>
  withFolder(async (dir) => {
    for (const pre of ["no-such-pre", null]) {
      const metadata = { "tokenizer.ggml.pre": pre === null ? null : ["string", pre] as const };
      await Deno.writeFile(`${dir}/small.gguf`, rawGguf(smallGguf({ metadata })));
      const { files } = await exportModel(gpu, `${dir}/small.gguf`, `${dir}/${pre}`);
      assertEquals(files, ["config.json", "model.safetensors"]);
    }
  }));

Deno.test("exportModel() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
