import { assert, assertEquals, assertRejects } from "@std/assert";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { bf16ToF32, f16ToF32, toBf16 } from "../../src/checkpoint/half.ts";
import { exportModel, type ExportOptions } from "../../src/editing/export_model.ts";
import { saveEdit } from "../../src/editing/patch_file.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { diskFull, failingSink, listFolder, withFolder } from "../checkpoint/files.ts";
import { rawGguf } from "../checkpoint/gguf_files.ts";
import { qwen3Gguf } from "../model/gguf_model.ts";
import { EDITING, lastLogits, readTensors, TOKENIZER } from "../model/model_files.ts";
import { randomEdit } from "./small_edits.ts";

const gpu = await Gpu.open();
const WORLDS = ["world-gptj", "world-qwen3"] as const;
const SMALL = `${EDITING}/gptj`;

/** Every float weight of a folder as float32 bits. */
async function widened(dir: string): Promise<Map<string, Uint32Array>> {
  using checkpoint = await openCheckpoint(dir);
  const all = new Map<string, Uint32Array>();
  for (const [name, { dtype }] of checkpoint.tensors) {
    const { buffer } = await checkpoint.read(name);
    const values = dtype === "F32"
      ? new Float32Array(buffer)
      : dtype === "BF16"
      ? bf16ToF32(new Uint16Array(buffer))
      : f16ToF32(new Uint16Array(buffer));
    all.set(name, new Uint32Array(values.buffer));
  }
  return all;
}

/** Writes two edits of a model that overlap in a layer; returns their paths in the order in which they are applied. */
async function writeEdits(model: Model, dir: string): Promise<string[]> {
  const paths = [`${dir}/b.safetensors`, `${dir}/a.safetensors`];
  await saveEdit(randomEdit(model, "first", [1, 2]), paths[0]!);
  await saveEdit(randomEdit(model, "second", [2, 3]), paths[1]!);
  return paths;
}

for (const world of WORLDS) {
  Deno.test(`exportModel() writes what applying the edits of ${world} gives, bit for bit, and the rest as stored`, () =>
    withFolder(async (dir) => {
      const source = `fixtures/world/${world}`;
      using model = await loadModel(gpu, source);
      const patches = await writeEdits(model, dir);
      const report = await exportModel(gpu, source, `${dir}/out`, { patches });
      assertEquals(report.edits.map(({ written }) => written), ["F32", "F32", "F32"]);
      assertEquals(await listFolder(dir), ["a.safetensors", "b.safetensors", "out"]);
      assertEquals((await listFolder(`${dir}/out`)).sort(), [...report.files].sort());
      const [before, after] = [await widened(source), await widened(`${dir}/out`)];
      const edited = new Set(report.edits.map(({ tensor }) => tensor));
      assertEquals([...after.keys()].sort(), [...before.keys()].sort());
      for (const [name, bits] of before) assertEquals(!edited.has(name), equal(bits, after.get(name)!), name);

      randomEdit(model, "first", [1, 2]).apply();
      randomEdit(model, "second", [2, 3]).apply();
      using exported = await loadModel(gpu, `${dir}/out`);
      for (const layer of [1, 2, 3]) {
        const name = `blocks.${layer}.mlp.W_out`;
        assertEquals(exported.weights.get(name).dtype, "f32");
        const [want] = await gpu.stream.read(model.weights.get(name));
        const [got] = await gpu.stream.read(exported.weights.get(name));
        assert(equal(bitsOf(got!), bitsOf(want!)), name);
      }
      const ids = model.tokenizer.encode("The capital of France is");
      using wanted = model.forward(ids, { logits: "all" });
      using found = exported.forward(ids, { logits: "all" });
      const [{ logits: got }, { logits: want }] = [await found.read("logits"), await wanted.read("logits")];
      assert(equal(bitsOf(got!), bitsOf(want!)), "logits");
      const config = JSON.parse(await Deno.readTextFile(`${dir}/out/config.json`));
      assertEquals(config.torch_dtype, "float32");
      using file = await SafetensorsFile.open(`${dir}/out/model.safetensors`);
      assertEquals(file.metadata.get("format"), "pt");
      const notes = JSON.parse(file.metadata.get("edits")!);
      assertEquals(notes.map((note: { requests: { target: string }[] }) => note.requests[0]!.target), [
        "first",
        "second",
      ]);
    }));
}

/** A tensor's bits: comparing those of large tensors by assertEquals() would print them all. */
function bitsOf(values: Float32Array | Uint32Array | Int32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function equal(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

for (const [dtype, written] of [["f32", "F32"], ["bf16", "BF16"], ["f16", "F16"]] as const) {
  Deno.test(`exportModel() writes every weight as ${dtype} when that is asked for, each rounded once`, () =>
    withFolder(async (dir) => {
      const source = "fixtures/world/world-qwen3";
      using model = await loadModel(gpu, source);
      const patches = await writeEdits(model, dir);
      await exportModel(gpu, source, `${dir}/keep`, { patches });
      await exportModel(gpu, source, `${dir}/out`, { patches, dtype });
      using checkpoint = await openCheckpoint(`${dir}/out`);
      assert([...checkpoint.tensors.values()].every((tensor) => tensor.dtype === written));
      const exact = await widened(`${dir}/keep`);
      for (const [name, bits] of await widened(`${dir}/out`)) {
        const values = new Float32Array(exact.get(name)!.buffer);
        const wanted = dtype === "f32"
          ? values
          : dtype === "bf16"
          ? bf16ToF32(toBf16(values))
          : Float32Array.from(Float16Array.from(values));
        assert(equal(bits, new Uint32Array(wanted.buffer)), name);
      }
      const config = JSON.parse(await Deno.readTextFile(`${dir}/out/config.json`));
      assertEquals(config.torch_dtype, { f32: "float32", bf16: "bfloat16", f16: "float16" }[dtype]);
    }));
}

/** Copies the small model as two shards. */
async function shardedCopy(dir: string): Promise<string> {
  const tensors = [...(await readTensors(`${SMALL}/model.safetensors`)).values()];
  const half = tensors.length >> 1;
  const shards = { "part-1.safetensors": tensors.slice(0, half), "part-2.safetensors": tensors.slice(half) };
  const map: Record<string, string> = {};
  for (const [file, list] of Object.entries(shards) as [string, TensorToWrite[]][]) {
    await writeSafetensors(`${dir}/sharded/${file}`, list);
    for (const { name } of list) map[name] = file;
  }
  await Deno.copyFile(`${SMALL}/config.json`, `${dir}/sharded/config.json`);
  await Deno.writeTextFile(`${dir}/sharded/model.safetensors.index.json`, JSON.stringify({ weight_map: map }));
  return `${dir}/sharded`;
}

Deno.test("exportModel() keeps shards and writes their index with the new size", () =>
  withFolder(async (dir) => {
    const source = await shardedCopy(dir);
    using model = await loadModel(gpu, source, { tokenizer: TOKENIZER });
    const report = await exportModel(gpu, source, `${dir}/out`, { patches: await writeEdits(model, dir) });
    assertEquals(report.files.filter((name) => name.includes("safetensors")), [
      "part-1.safetensors",
      "part-2.safetensors",
      "model.safetensors.index.json",
    ]);
    const index = JSON.parse(await Deno.readTextFile(`${dir}/out/model.safetensors.index.json`));
    const stored = JSON.parse(await Deno.readTextFile(`${source}/model.safetensors.index.json`));
    assertEquals(index.weight_map, stored.weight_map);
    assertEquals(index.metadata.total_size, report.bytes);
    using single = await openCheckpoint(SMALL);
    await exportModel(gpu, source, `${dir}/copy`);
    using copy = await openCheckpoint(`${dir}/copy`);
    assertEquals(await copy.hash(), await single.hash());
  }));

Deno.test("exportModel() writes a GGUF file as a folder with the names, rows and config of the hub", () =>
  withFolder(async (dir) => {
    await Deno.writeFile(`${dir}/model.gguf`, rawGguf(await qwen3Gguf()));
    using model = await loadModel(gpu, `${dir}/model.gguf`, { tokenizer: TOKENIZER });
    const patches = await writeEdits(model, dir);
    const report = await exportModel(gpu, `${dir}/model.gguf`, `${dir}/out`, { patches });
    assertEquals(report.files, ["config.json", "model.safetensors"]);
    using exported = await loadModel(gpu, `${dir}/out`, { tokenizer: TOKENIZER });
    assertEquals(exported.config, model.config);
    randomEdit(model, "first", [1, 2]).apply();
    randomEdit(model, "second", [2, 3]).apply();
    const ids = [45, 268, 1478, 12, 900];
    assertEquals(await lastLogits(exported, ids), await lastLogits(model, ids));
    const before = await widened(`${EDITING}/qwen3`);
    const edited = new Set(report.edits.map(({ tensor }) => tensor));
    for (const [name, bits] of await widened(`${dir}/out`)) {
      assertEquals(!edited.has(name), equal(bits, before.get(name)!), name);
    }
  }));

Deno.test("exportModel() without edits leaves the config byte for byte, and fills an empty folder", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/out`);
    const seen: [number, number][] = [];
    await exportModel(gpu, SMALL, `${dir}/out`, { onProgress: (...state) => seen.push(state) });
    assertEquals(await Deno.readFile(`${dir}/out/config.json`), await Deno.readFile(`${SMALL}/config.json`));
    assertEquals(seen.at(-1)![0], seen.at(-1)![1]);
    assertEquals(await listFolder(dir), ["out"]);
  }));

/** What exportModel() says when it fails; nothing may be left. */
async function refusal(dir: string, source: string, options: ExportOptions = {}): Promise<string> {
  const before = await listFolder(dir);
  const error = await assertRejects(() => exportModel(gpu, source, `${dir}/out`, options), Error);
  assertEquals(await listFolder(dir), before);
  return error.message;
}

Deno.test("exportModel() says that the disk is full and leaves nothing", () =>
  withFolder(async (dir) => {
    const message = await refusal(dir, SMALL, { open: failingSink(1000, diskFull) });
    assertEquals(
      message,
      `Cannot write ${dir}/out/model.safetensors: the disk is full; free some space or choose another folder`,
    );
  }));

Deno.test("exportModel() stops between pieces and leaves nothing", () =>
  withFolder(async (dir) => {
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new DOMException("Stopped by Ctrl-C", "AbortError"));
    assertEquals(await refusal(dir, SMALL, { signal: stop.signal, onProgress }), "Stopped by Ctrl-C");
  }));

Deno.test("exportModel() refuses a folder that holds something, and the patch of another model", () =>
  withFolder(async (dir) => {
    await assertRejects(
      () => exportModel(gpu, SMALL, SMALL),
      FileError,
      `Cannot write ${SMALL}: found a folder that holds `,
    );
    await Deno.writeTextFile(`${dir}/file`, "");
    await assertRejects(() => exportModel(gpu, SMALL, `${dir}/file`), FileError, `Cannot write ${dir}/file: `);
    using other = await loadModel(gpu, "fixtures/world/world-gptj");
    const [patch] = await writeEdits(other, dir);
    const message = await refusal(dir, SMALL, { patches: [patch!] });
    assert(message.startsWith(`Cannot load edit ${patch}: it was made for gptj, 8 layers`), message);
    assert(message.endsWith("Load the model that it was made for"), message);
  }));

Deno.test("exportModel() refuses to edit a tensor of another type or shape than the config's", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/model`);
    await Deno.copyFile(`${SMALL}/config.json`, `${dir}/model/config.json`);
    const name = "transformer.h.1.mlp.fc_out.weight";
    for (
      const [tensor, found] of [
        [{ dtype: "F64", shape: [48, 96], data: new Float64Array(48 * 96) }, "F64 [48, 96]"],
        [{ dtype: "F32", shape: [1, 48], data: new Float32Array(48) }, "F32 [1, 48]"],
      ] as const
    ) {
      const tensors = await readTensors(`${SMALL}/model.safetensors`);
      await writeSafetensors(`${dir}/model/model.safetensors`, [...tensors.set(name, { name, ...tensor }).values()]);
      using checkpoint = await openCheckpoint(`${dir}/model`);
      const factor = (side: string, rows: number): TensorToWrite => (
        { name: `blocks.1.mlp.W_out.${side}`, dtype: "F32", shape: [rows, 1], data: new Float32Array(rows) }
      );
      const modelHash = await checkpoint.hash();
      const record = JSON.stringify({ method: "ace", mode: null, modelHash, model: "small", requests: [] });
      const patch = `${dir}/patch.safetensors`;
      await writeSafetensors(patch, [factor("left", 48), factor("right", 96)], {
        format: "ace-webgpu edit",
        version: "1",
        record,
        norms: "[]",
      });
      assertEquals(
        await refusal(dir, `${dir}/model`, { patches: [patch] }),
        `Cannot export ${dir}/model: tensor "${name}", which an edit changes, is ${found}, wanted F32, F16 or BF16 ` +
          "[48, 96] by config.json. Config and weights are not of the same model",
      );
    }
  }));

Deno.test("exportModel() refuses values that float16 cannot hold", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/model`);
    await Deno.copyFile(`${SMALL}/config.json`, `${dir}/model/config.json`);
    const tensors = await readTensors(`${SMALL}/model.safetensors`);
    const [name, large] = [...tensors].find(([, { dtype }]) => dtype === "F32")!;
    new Float32Array(large.data.buffer as ArrayBuffer, large.data.byteOffset, 2).fill(1e6);
    await writeSafetensors(`${dir}/model/model.safetensors`, [...tensors.values()]);
    assertEquals(
      await refusal(dir, `${dir}/model`, { dtype: "f16" }),
      `Cannot export tensor "${name}" of ${dir}/model: 2 values are beyond the range of F16; choose BF16 or F32`,
    );
  }));

Deno.test("exports leave nothing on the GPU", () => {
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});
