/**
 * Edits models at random, exports them, and writes what this project computes for the edited model beside each export,
 * for `check_exported.py` to compare with what Python's `transformers` computes from the folder.
 *
 * Call: deno run -A tests/interop/export_edited.ts OUT MODEL... (folders, or GGUF files, which hold
 * their tokenizer; a folder without one takes the one a folder up).
 *
 * @module
 */
import { basename } from "node:path";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { exportModel } from "../../src/editing/export_model.ts";
import { saveEdit } from "../../src/editing/patch_file.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { randomEdit } from "../editing/small_edits.ts";

/** A text whose tokens are compared. */
const TEXT = "The capital of France\nis  Paris, isn't it? 12345 Ünïcödé";

/** Tokens that are compared; every model has as many. */
const TOKENS = 24;

const [out, ...models] = Deno.args;
if (out === undefined || models.length === 0) throw new TypeError("Wanted a folder to write and folders of models");

using gpu = await Gpu.open();
for (const dir of models) {
  const hasTokenizer = dir.endsWith(".gguf") || await Deno.stat(`${dir}/tokenizer.json`).then(() => true, () => false);
  using model = await loadModel(gpu, dir, hasTokenizer ? {} : { tokenizer: `${dir}/../tokenizer.json` });
  const target = `${out}/${basename(dir)}`;
  const patches = [`${target}-1.safetensors`, `${target}-2.safetensors`];
  using first = randomEdit(model, "first", [0, 1]);
  using second = randomEdit(model, "second", [1]);
  await saveEdit(first, patches[0]!);
  await saveEdit(second, patches[1]!);
  const report = await exportModel(gpu, dir, target, { patches });
  const ids = Int32Array.from({ length: TOKENS }, (_, i) => (i * 37 + 11) % model.config.vocab);
  const logits = async (): Promise<Float32Array> => {
    using cache = model.forward([...ids], { logits: "all" });
    return (await cache.read("logits"))["logits"]! as Float32Array;
  };
  const before = await logits();
  first.apply();
  second.apply();
  const shape = [TOKENS, model.config.vocab];
  await writeSafetensors(`${target}-expected.safetensors`, [
    { name: "ids", dtype: "I32", shape: [TOKENS], data: ids },
    { name: "before", dtype: "F32", shape, data: before },
    { name: "logits", dtype: "F32", shape, data: await logits() },
  ]);
  if (hasTokenizer) {
    const text = { text: TEXT, ids: model.tokenizer.encode(TEXT) };
    await Deno.writeTextFile(`${target}-text.json`, JSON.stringify(text));
  }
  console.log(`${target}: ${report.edits.map(({ tensor }) => tensor).join(", ")}`);
}
