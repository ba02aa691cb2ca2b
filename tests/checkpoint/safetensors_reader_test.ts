import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { decodeFloats } from "../../src/checkpoint/half.ts";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { withFolder, writeRaw } from "./files.ts";

const GOLDEN = "fixtures/goldens/attribution/gptj";

Deno.test("SafetensorsFile reads a file that the Python library wrote", async () => {
  const golden = JSON.parse(await Deno.readTextFile(`${GOLDEN}/case.json`));
  using file = await SafetensorsFile.open(`${GOLDEN}/tensors.safetensors`);
  const prompt = golden.prompts[0];
  const { shape } = file.info("p0.score.ffn_neuron");
  assertEquals(shape.length, 2);
  const scores = decodeFloats("F64", await file.read("p0.score.ffn_neuron"));
  assert(prompt.top.ffn_neuron.list.length >= 10);
  for (const { neuron, score } of prompt.top.ffn_neuron.list) {
    const [layer, index] = neuron.split("_").map(Number);
    assertEquals(scores[layer * shape[1]! + index], score);
  }
});

Deno.test("SafetensorsFile reads float32 weights that the Python library wrote", async () => {
  using file = await SafetensorsFile.open(`${GOLDEN}/model.safetensors`);
  assertEquals(file.metadata.get("format"), "pt");
  const config = JSON.parse(await Deno.readTextFile(`${GOLDEN}/config.json`));
  assertEquals(file.info("transformer.wte.weight"), {
    dtype: "F32",
    shape: [config.vocab_size, config.n_embd],
    byteLength: 4 * config.vocab_size * config.n_embd,
  });
  const weights = decodeFloats("F32", await file.read("transformer.wte.weight"));
  using results = await SafetensorsFile.open(`${GOLDEN}/tensors.safetensors`);
  const embedded = decodeFloats("F64", await results.read("p0.hook_embed"));
  const golden = JSON.parse(await Deno.readTextFile(`${GOLDEN}/case.json`));
  const ids: number[] = golden.prompts[0].ids;
  const wanted = ids.flatMap((id) => [...weights.subarray(id * config.n_embd, (id + 1) * config.n_embd)]);
  assertEquals([...embedded], wanted);
});

Deno.test("SafetensorsFile.chunks() gives the bytes of read() in pieces of whole 8 bytes", async () => {
  using file = await SafetensorsFile.open(`${GOLDEN}/model.safetensors`);
  const name = "transformer.h.0.mlp.fc_in.weight";
  const whole = await file.read(name);
  for (const maxBytes of [8, 1001, whole.length, 10 * whole.length]) {
    const pieces = await Array.fromAsync(file.chunks(name, maxBytes));
    for (const piece of pieces.slice(0, -1)) assertEquals(piece.length, Math.floor(maxBytes / 8) * 8);
    assertEquals(pieces.flatMap((piece) => [...piece]), [...whole]);
  }
});

Deno.test("SafetensorsFile.chunks() gives nothing for an empty tensor and refuses tiny pieces", () =>
  withFolder(async (dir) => {
    const path = await writeRaw(dir, { e: { dtype: "F32", shape: [0, 3], data_offsets: [0, 0] } }, 0);
    using file = await SafetensorsFile.open(path);
    assertEquals(await Array.fromAsync(file.chunks("e", 64)), []);
    assertEquals((await file.read("e")).length, 0);
    await assertRejects(
      () => Array.fromAsync(file.chunks("e", 4)),
      RangeError,
      "Cannot read in pieces of 4 bytes: wanted at least 8",
    );
  }));

Deno.test("SafetensorsFile.read() may be called many times at once", async () => {
  using file = await SafetensorsFile.open(`${GOLDEN}/model.safetensors`);
  const together = await Promise.all(file.names.map((name) => file.read(name)));
  for (const [i, name] of file.names.entries()) assertEquals(together[i], await file.read(name));
});

Deno.test("SafetensorsFile.info() says that a tensor is missing", async () => {
  using file = await SafetensorsFile.open(`${GOLDEN}/model.safetensors`);
  assertThrows(
    () => file.info("lm_head"),
    FileError,
    `Cannot find tensor "lm_head" in ${GOLDEN}/model.safetensors: the file holds ${file.names.length} others; check the name`,
  );
  await assertRejects(() => file.read("lm_head"), FileError, "Cannot find tensor");
});

Deno.test("SafetensorsFile.open() closes the file when the header is refused", () =>
  withFolder(async (dir) => {
    const path = await writeRaw(dir, { w: { dtype: "F32", shape: [4], data_offsets: [0, 16] } }, 12);
    const { size } = await Deno.stat(path);
    const error = await assertRejects(() => SafetensorsFile.open(path), FileError);
    assertEquals(
      error.message,
      `Cannot read ${path}: the file holds ${size} bytes, its header wants ${size + 4}; the file is truncated: ` +
        `fetch or write the file again`,
    );
  }));

Deno.test("SafetensorsFile.open() says that there is no file", () =>
  withFolder(async (dir) => {
    await assertRejects(() => SafetensorsFile.open(join(dir, "x")), FileError, "there is no such file or folder");
    await assertRejects(() => SafetensorsFile.open(dir), FileError, "it is a folder; give the path of a file");
  }));

Deno.test("SafetensorsFile.read() notices a file that shrank while it was open", () =>
  withFolder(async (dir) => {
    const path = await writeRaw(dir, { w: { dtype: "F32", shape: [4], data_offsets: [0, 16] } }, 16);
    using file = await SafetensorsFile.open(path);
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size - 4);
    await assertRejects(() => file.read("w"), FileError, `found 12 bytes at ${size - 16}, wanted 16; the file changed`);
    await Deno.truncate(path, size);
    assertEquals((await file.read("w")).length, 16);
  }));

Deno.test({
  name: "SafetensorsFile.open() refuses a pipe without waiting for what nobody writes",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (dir) => {
      const path = join(dir, "pipe");
      await new Deno.Command("mkfifo", { args: [path] }).output();
      for (const found of [path, "/dev/null"]) {
        const error = await assertRejects(() => SafetensorsFile.open(found), FileError);
        assertEquals(
          error.message,
          `Cannot read ${found}: found a pipe or a device, wanted a file, which can be read from any place; write it to ` +
            "a file first",
        );
      }
    }),
});
