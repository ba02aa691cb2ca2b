import { assertEquals, assertLess, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoint/checkpoint_folder.ts";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { withFolder } from "./files.ts";

const A: TensorToWrite = { name: "a", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) };
const B: TensorToWrite = { name: "b", dtype: "F16", shape: [1, 3], data: Uint16Array.of(3, 4, 5) };
const C: TensorToWrite = { name: "c", dtype: "F32", shape: [], data: Float32Array.of(6) };

const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;

async function writeSingle(dir: string, tensors: TensorToWrite[]): Promise<void> {
  await Deno.writeTextFile(join(dir, "config.json"), "{}");
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
}

async function writeIndex(dir: string, weightMap: unknown): Promise<void> {
  await Deno.writeTextFile(join(dir, "config.json"), "{}");
  await Deno.writeTextFile(join(dir, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
}

async function writeShards(dir: string, first: TensorToWrite[], second: TensorToWrite[]): Promise<void> {
  await writeSafetensors(join(dir, SHARDS[0]), first);
  await writeSafetensors(join(dir, SHARDS[1]), second);
}

Deno.test("openCheckpoint() opens a folder with one file", () =>
  withFolder(async (dir) => {
    await writeSingle(dir, [A, B]);
    using checkpoint = await openCheckpoint(dir);
    assertEquals(checkpoint.path, dir);
    assertEquals(checkpoint.tensors.get("b"), {
      dtype: "F16",
      shape: [1, 3],
      byteLength: 6,
      file: "model.safetensors",
    });
    assertEquals([...await checkpoint.read("b")], [3, 0, 4, 0, 5, 0]);
    assertEquals((await Array.fromAsync(checkpoint.chunks("a", 8))).length, 1);
    assertThrows(
      () => checkpoint.read("lm_head"),
      FileError,
      `Cannot find tensor "lm_head" in ${dir}: the folder holds 2 others; check the name`,
    );
  }));

Deno.test("openCheckpoint() opens shards through their index", () =>
  withFolder(async (dir) => {
    await writeShards(dir, [A, C], [B]);
    await writeIndex(dir, { a: SHARDS[0], c: SHARDS[0], b: SHARDS[1] });
    using checkpoint = await openCheckpoint(dir);
    assertEquals([...checkpoint.tensors].map(([name, { file }]) => [name, file]).sort(), [
      ["a", SHARDS[0]],
      ["b", SHARDS[1]],
      ["c", SHARDS[0]],
    ]);
    assertEquals([...await checkpoint.read("b")], [3, 0, 4, 0, 5, 0]);
    assertEquals(new Float32Array((await checkpoint.read("c")).buffer), Float32Array.of(6));
  }));

Deno.test("openCheckpoint() takes no longer for a tensor among many of a shard", () =>
  withFolder(async (dir) => {
    const names = Array.from({ length: 60_000 }, (_, i) => `layers.${i}.weight`);
    const data = new Uint8Array(1);
    await writeShards(dir, names.map((name) => ({ name, dtype: "U8", shape: [1], data })), [B]);
    await writeIndex(dir, Object.fromEntries([...names.map((name) => [name, SHARDS[0]]), ["b", SHARDS[1]]]));
    const start = performance.now();
    using checkpoint = await openCheckpoint(dir);
    assertEquals(checkpoint.tensors.size, names.length + 1);
    // Half a second where a name is added to its shard's list, 15 s where the list is copied for each.
    assertLess(performance.now() - start, 7000);
  }));

Deno.test("Checkpoint.hash() depends on names, types, shapes and bytes, not on the files", () =>
  withFolder(async (dir) => {
    const hashOf = async (name: string, write: (dir: string) => Promise<void>): Promise<string> => {
      const folder = join(dir, name);
      await Deno.mkdir(folder);
      await write(folder);
      using checkpoint = await openCheckpoint(folder);
      assertEquals(await checkpoint.hash(), await checkpoint.hash());
      return await checkpoint.hash();
    };
    const single = await hashOf("single", (folder) => writeSingle(folder, [A, B]));
    const wanted = createHash("sha256").update('["a","F32",[2]]\n').update(new Uint8Array(A.data.buffer))
      .update('["b","F16",[1,3]]\n').update(new Uint8Array(B.data.buffer)).digest("hex");
    assertEquals(single, wanted);
    const sharded = await hashOf("sharded", async (folder) => {
      await writeShards(folder, [B], [A]);
      await writeIndex(folder, { a: SHARDS[1], b: SHARDS[0] });
    });
    assertEquals(sharded, single);
    const others: TensorToWrite[] = [
      { ...A, name: "A" },
      { ...A, dtype: "I32" },
      { ...A, shape: [2, 1] },
      { ...A, data: Float32Array.of(1, 2.5) },
    ];
    for (const [i, other] of others.entries()) {
      assertNotEquals(await hashOf(`other${i}`, (folder) => writeSingle(folder, [other, B])), single);
    }
  }));

const REFUSED: [string, (dir: string) => Promise<void>, string][] = [
  [
    "a folder without config.json",
    (dir) => writeSafetensors(join(dir, "model.safetensors"), [A]),
    "holds no config.json",
  ],
  [
    "a folder without weights",
    (dir) => Deno.writeTextFile(join(dir, "config.json"), "{}"),
    "it holds no weights, wanted model.safetensors or model.safetensors.index.json; fetch the safetensors weights",
  ],
  [
    "weights in another format",
    async (dir) => {
      await Deno.writeTextFile(join(dir, "config.json"), "{}");
      await Deno.writeTextFile(join(dir, "pytorch_model.bin"), "");
    },
    "wanted model.safetensors or model.safetensors.index.json, found pytorch_model.bin; convert them with Python: python3 -c 'import transformers as t; ",
  ],
  ["an index without a map", (dir) => writeIndex(dir, undefined), "at weight_map found nothing, wanted record"],
  ["an empty index", (dir) => writeIndex(dir, {}), "the weight_map of model.safetensors.index.json is empty"],
  ["an index with a number", (dir) => writeIndex(dir, { a: 3 }), "at weight_map.a found 3, wanted string"],
  [
    "an index that leaves the folder",
    (dir) => writeIndex(dir, { a: "../x.safetensors" }),
    'at weight_map.a found "../x.safetensors": wanted the name of a .safetensors file in the same folder',
  ],
  [
    "a missing shard",
    async (dir) => {
      await writeSafetensors(join(dir, SHARDS[0]), [A]);
      await writeIndex(dir, { a: SHARDS[0], b: SHARDS[1] });
    },
    `the index puts tensor "b" in ${SHARDS[1]}, which is not in the folder; fetch the missing file`,
  ],
  [
    "a tensor that is not in its shard",
    async (dir) => {
      await writeShards(dir, [A], [B]);
      await writeIndex(dir, { a: SHARDS[0], b: SHARDS[1], c: SHARDS[1] });
    },
    `the index puts tensor "c" in ${SHARDS[1]}, which does not hold it; fetch the folder again`,
  ],
  [
    "a tensor in two shards",
    async (dir) => {
      await writeShards(dir, [A], [A, B]);
      await writeIndex(dir, { a: SHARDS[0], b: SHARDS[1] });
    },
    `tensor "a" is in ${SHARDS[0]} and in ${SHARDS[1]}, wanted in one file; fetch the folder again`,
  ],
  [
    "a damaged shard",
    async (dir) => {
      await writeShards(dir, [A], [B]);
      await Deno.truncate(join(dir, SHARDS[1]), 69);
      await writeIndex(dir, { a: SHARDS[0], b: SHARDS[1] });
    },
    "the file is truncated: fetch or write the file again",
  ],
];

for (const [name, write, message] of REFUSED) {
  Deno.test(`openCheckpoint() refuses ${name}`, () =>
    withFolder(async (dir) => {
      await write(dir);
      await assertRejects(() => openCheckpoint(dir), FileError, message);
    }));
}

Deno.test("openCheckpoint() says that there is no folder", () =>
  withFolder(async (dir) => {
    await assertRejects(() => openCheckpoint(join(dir, "x")), FileError, "there is no such file or folder");
  }));
