import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Conversion } from "../../src/checkpoint/load_report.ts";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { rawGguf } from "../checkpoint/gguf_files.ts";
import { smallGguf } from "../checkpoint/gguf_models.ts";
import { qwen3Gguf } from "./gguf_model.ts";
import { lastLogits, loadSmall, TOKENIZER } from "./model_files.ts";

const gpu = await Gpu.open();
const IDS = [45, 268, 1478, 12, 900];

Deno.test("loadModel() gives the same model from a GGUF file as from the folder", async () => {
  await withFolder(async (dir) => {
    await Deno.writeFile(`${dir}/model.gguf`, rawGguf(await qwen3Gguf()));
    using folder = await loadSmall(gpu, "qwen3");
    const converted: Conversion[] = [];
    for (const path of [`${dir}/model.gguf`, dir]) {
      using model = await loadModel(gpu, path, {
        tokenizer: TOKENIZER,
        onConversions: (list) => converted.push(...list),
      });
      assertEquals(model.hash, folder.hash);
      assertEquals({ ...model.config, eps: 0 }, { ...folder.config, eps: 0 });
      // Epsilon is stored as float32, so it differs by half a unit in the last place at most.
      assert(Math.abs(model.config.eps - 1e-6) <= 1e-6 * 2 ** -24);
      assertEquals(await lastLogits(model, IDS), await lastLogits(folder, IDS));
    }
    assertEquals(converted, []);
  });
});

Deno.test("loadModel() asks for a tokenizer where the metadata has no vocabulary", async () => {
  await withFolder(async (dir) => {
    const path = `${dir}/model.gguf`;
    await Deno.writeFile(path, rawGguf(await qwen3Gguf()));
    const error = await assertRejects(() => loadModel(gpu, path), FileError);
    assertEquals(
      error.message,
      `Cannot use the tokenizer of ${path}: found no metadata tokenizer.ggml.tokens, wanted the vocabulary; ` +
        `fetch the file again or name a tokenizer.json`,
    );
  });
});

Deno.test("loadModel() refuses weights of a GGUF file that are not finite", async () => {
  const data = new Uint8Array(Float32Array.of(...new Array(39).fill(0), NaN).buffer);
  await withFolder(async (dir) => {
    const path = `${dir}/model.gguf`;
    const norm = { dims: [4] };
    const file = smallGguf({
      architecture: "qwen3",
      tensors: {
        "token_embd.weight": { dims: [8, 5], data },
        "blk.0.attn_q_norm.weight": norm,
        "blk.0.attn_k_norm.weight": norm,
      },
    });
    await Deno.writeFile(path, rawGguf(file));
    await Deno.writeTextFile(`${dir}/tokenizer.json`, JSON.stringify(tinyTokenizer()));
    const error = await assertRejects(() => loadModel(gpu, path, { tokenizer: dir }), TypeError);
    assertEquals(
      error.message,
      `Cannot load ${path}: tensor "model.embed_tokens.weight" holds 1 values that are NaN or infinite, wanted none. ` +
        `The file is damaged or was saved from a failed run`,
    );
  });
});

/** A byte-level tokenizer of two tokens. */
function tinyTokenizer(): unknown {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
  };
}

Deno.test("loadModel() leaves no memory behind after GGUF files", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
