import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { openModelFiles, readConfig } from "../../src/checkpoint/open_model.ts";
import { withFolder } from "./files.ts";

const GOLDENS = "fixtures/goldens/gguf";

Deno.test("openModelFiles() opens a GGUF file, with metadata for its tokenizer", async () => {
  using model = await openModelFiles(`${GOLDENS}/q4_1.gguf`);
  assertEquals((model.config as Record<string, unknown>)["model_type"], "llama");
  assertEquals(model.configPath, `${GOLDENS}/q4_1.gguf`);
  assertEquals((model.metadata!["tokenizer.ggml.tokens"] as string[]).length, 300);
  assertEquals((model.metadata!["tokenizer.ggml.token_type"] as number[]).slice(0, 2), [3, 1]);
  assertEquals(model.weights.tensors.get("model.layers.0.mlp.up_proj.weight")!.dtype, "Q4_1");
});

Deno.test("openModelFiles() opens a folder in Hugging Face layout", async () => {
  const dir = "fixtures/world/world-qwen3";
  using model = await openModelFiles(dir);
  assertEquals((model.config as Record<string, unknown>)["model_type"], "qwen3");
  assertEquals([model.configPath, model.metadata, model.weights.path], [`${dir}/config.json`, null, dir]);
});

Deno.test("openModelFiles() opens a folder with exactly one GGUF file and no safetensors", async () => {
  const source = await Deno.realPath(GOLDENS);
  await withFolder(async (dir) => {
    await Deno.symlink(`${source}/q4_0.gguf`, `${dir}/a.gguf`);
    await Deno.writeTextFile(`${dir}/tokenizer.json`, "{}");
    {
      using model = await openModelFiles(dir, []);
      assertEquals(model.weights.path, `${dir}/a.gguf`);
      assertEquals(model.weights.tensors.get("model.embed_tokens.weight")!.dtype, "F32");
    }
    await Deno.symlink(`${source}/q8_0.gguf`, `${dir}/b.gguf`);
    const error = await assertRejects(() => openModelFiles(dir), FileError);
    assertEquals(
      error.message,
      `Cannot open ${dir}: it holds 2 GGUF files (a.gguf, b.gguf), wanted one; give the path of the file`,
    );
    // Beside safetensors, the folder is what it was before.
    await Deno.writeTextFile(`${dir}/model.safetensors`, "");
    await assertRejects(() => openModelFiles(dir), FileError, "it holds no config.json");
  });
});

Deno.test("openModelFiles() refuses paths that lead nowhere and files of another format", async () => {
  await withFolder(async (dir) => {
    const missing = await assertRejects(() => openModelFiles(`${dir}/no`), FileError);
    assertEquals(missing.message, `Cannot read ${dir}/no: there is no such file or folder; check the path`);
    await assertRejects(() => openModelFiles(dir), FileError, "it holds no config.json");
    await Deno.writeTextFile(`${dir}/x.bin`, "pytorch");
    const other = await assertRejects(() => openModelFiles(`${dir}/x.bin`), FileError);
    assertEquals(
      other.message,
      `Cannot read ${dir}/x.bin: it starts with "0x6f747970", wanted "GGUF" (0x46554747); ` +
        "it is no GGUF file: check the path",
    );
    await Deno.writeTextFile(`${dir}/model.safetensors`, "weights");
    const part = await assertRejects(() => openModelFiles(`${dir}/model.safetensors`), FileError);
    assertEquals(
      part.message,
      `Cannot open ${dir}/model.safetensors: it is one file of a model folder, wanted the folder or a GGUF file; give ` +
        dir,
    );
    const bytes = await Deno.readFile(`${GOLDENS}/q4_0.gguf`);
    await Deno.writeFile(`${dir}/cut.gguf`, bytes.subarray(0, bytes.length / 2));
    const cut = await assertRejects(() => openModelFiles(`${dir}/cut.gguf`), FileError);
    assertEquals(
      cut.message.replace(/ends at byte \d+/, "ends at byte N"),
      `Cannot read ${dir}/cut.gguf: tensor "blk.0.ffn_gate.weight" ends at byte N, and the file has 26720; ` +
        "its offset is wrong or the file was cut short; fetch or convert the file again",
    );
  });
});

Deno.test("readConfig() refuses a folder that is quantised by the word of another file, and no other", async () => {
  const config = '{"model_type":"llama"}';
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/config.json`, config);
    // What exports to ONNX leave beside weights that are not quantised.
    await Deno.writeTextFile(`${dir}/quantize_config.json`, '{"per_channel":false,"reduce_range":false}');
    assertEquals((await readConfig(dir)).config, { model_type: "llama" });
    await Deno.writeTextFile(`${dir}/quantize_config.json`, '{"bits":8}');
    const path = `${dir}/quantize_config.json`;
    await assertRejects(() => readConfig(dir), FileError, `Cannot use ${path}: found weights quantised by "gptq"`);
    await Deno.writeTextFile(`${dir}/quantize_config.json`, "[4]");
    await assertRejects(() => readConfig(dir), FileError, `Cannot use ${path}: at the top level found [4]`);
  });
});
