import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { join } from "node:path";
import safetensors from "safetensors";
import { FileError } from "../../src/checkpoint/file_error.ts";
import type { SafetensorsDtype } from "../../src/checkpoint/safetensors_header.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { type StreamedData, type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { diskFull, failingSink, listFolder, withFolder } from "./files.ts";

const TENSORS: TensorToWrite[] = [
  { name: "bytes", dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) },
  { name: "half", dtype: "BF16", shape: [2, 1], data: Uint16Array.of(0x3f80, 0xc000) },
  { name: "single", dtype: "F32", shape: [], data: Float32Array.of(1.5) },
  { name: "double", dtype: "F64", shape: [1, 2], data: new Float64Array([9, 0.1, -2]).subarray(1) },
  { name: "none", dtype: "F32", shape: [0, 5], data: new Float32Array(0) },
];

/** What the independent reader gives for one file. */
interface PeerFile {
  metadata: Map<string, { dtype: string; shape: number[] }>;
  getTensor(name: string): Uint8Array;
}

/** Runs the browser reader with a page, a network and a cache that stand for those of a browser. */
async function readWithPeer(path: string): Promise<PeerFile> {
  const cache = new Map<string, unknown>();
  const soon = (result: unknown): Record<string, (event: unknown) => void> => {
    const request: Record<string, (event: unknown) => void> = {};
    queueMicrotask(() => request["onsuccess"]?.({ target: { result } }));
    return request;
  };
  const store = {
    get: (name: string) => soon(cache.get(name)),
    add: (row: { name: string }) => soon(cache.set(row.name, row)),
  };
  const database = { transaction: () => ({ objectStore: () => store }) };
  const stubs: Record<string, unknown> = {
    window: globalThis,
    indexedDB: { open: () => soon(database) },
    fetch: async (url: string) => new Response(await Deno.readFile(url)),
  };
  const before = Object.keys(stubs).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)] as const);
  for (const [key, value] of Object.entries(stubs)) {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  }
  try {
    return await safetensors.loadSafeTensor(path);
  } finally {
    for (const [key, descriptor] of before) {
      Reflect.deleteProperty(globalThis, key);
      if (descriptor !== undefined) Object.defineProperty(globalThis, key, descriptor);
    }
  }
}

const bytesOf = ({ data }: TensorToWrite): number[] => [
  ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
];

Deno.test("writeSafetensors() writes what the npm package safetensors reads", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    await writeSafetensors(path, TENSORS);
    const peer = await readWithPeer(path);
    assertEquals([...peer.metadata.keys()].sort(), TENSORS.map((tensor) => tensor.name).sort());
    for (const tensor of TENSORS) {
      const { dtype, shape } = peer.metadata.get(tensor.name)!;
      assertEquals([dtype, shape], [tensor.dtype, tensor.shape]);
      assertEquals([...peer.getTensor(tensor.name)], bytesOf(tensor));
    }
  }));

Deno.test("writeSafetensors() writes what SafetensorsFile reads, with metadata", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    await writeSafetensors(path, TENSORS, { format: "pt", note: "caf\u00e9" });
    using file = await SafetensorsFile.open(path);
    assertEquals(file.names, ["double", "none", "single", "half", "bytes"]);
    assertEquals([...file.metadata], [["format", "pt"], ["note", "caf\u00e9"]]);
    for (const tensor of TENSORS) assertEquals([...await file.read(tensor.name)], bytesOf(tensor));
    assertEquals(await listFolder(dir), ["x.safetensors"]);
  }));

Deno.test("writeSafetensors() pads the header with spaces to 8 bytes and aligns each tensor to its element", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    for (let pad = 0; pad < 9; pad++) {
      await writeSafetensors(path, TENSORS, { pad: "x".repeat(pad) });
      const bytes = await Deno.readFile(path);
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      assertEquals(length % 8, 0);
      const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
      assertEquals(header.replace(/\} *$/, "}"), JSON.stringify(JSON.parse(header)));
      for (const [name, size] of [["double", 8], ["single", 4], ["half", 2]] as const) {
        assertEquals((8 + length + JSON.parse(header)[name].data_offsets[0]) % size, 0);
      }
    }
  }));

Deno.test("writeSafetensors() and SafetensorsFile give back any tensors", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    const sizes: [SafetensorsDtype, number][] = [["U8", 1], ["F16", 2], ["I32", 4], ["F64", 8]];
    const tensor = fc.record({
      kind: fc.constantFrom(...sizes),
      shape: fc.array(fc.nat(4), { maxLength: 3 }),
      name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
      seed: fc.nat(255),
    }).map(({ kind: [dtype, size], shape, name, seed }): TensorToWrite => {
      const length = shape.reduce((product, side) => product * side, size);
      return { name, dtype, shape, data: Uint8Array.from({ length }, (_, i) => seed + 31 * i) };
    });
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name });
    await fc.assert(
      fc.asyncProperty(tensors, fc.dictionary(fc.string(), fc.string()), async (list, metadata) => {
        await writeSafetensors(path, list, metadata);
        using file = await SafetensorsFile.open(path);
        assertEquals(file.names.length, list.length);
        assertEquals(new Map(file.metadata), new Map(Object.entries(metadata)));
        for (const { name, dtype, shape, data } of list) {
          assertEquals(file.info(name), { dtype, shape, byteLength: data.byteLength });
          assertEquals(await file.read(name), data);
        }
      }),
      { seed: 5, numRuns: 50 },
    );
  }));

Deno.test("writeSafetensors() removes what it began when the disk is full", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    await writeSafetensors(path, TENSORS);
    const old = await Deno.readFile(path);
    for (const after of [0, 100, old.length - 1]) {
      await assertRejects(
        () => writeSafetensors(path, TENSORS, {}, failingSink(after, diskFull)),
        FileError,
        `Cannot write ${path}: the disk is full; free some space or choose another folder`,
      );
    }
    assertEquals(await listFolder(dir), ["x.safetensors"]);
    assertEquals(await Deno.readFile(path), old);
  }));

Deno.test("writeSafetensors() refuses tensors that no reader would accept, and writes nothing", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.safetensors");
    const [first] = TENSORS;
    assert(first !== undefined);
    await assertRejects(
      () => writeSafetensors(path, [first, first]),
      TypeError,
      `Cannot write tensor "bytes" to ${path}: it stands twice in the list; give it another name`,
    );
    await assertRejects(
      () => writeSafetensors(path, [{ ...first, name: "__metadata__" }]),
      TypeError,
      "the format keeps this name for itself",
    );
    await assertRejects(
      () => writeSafetensors(path, [{ ...first, shape: [2, 2] }]),
      RangeError,
      `Cannot write tensor "bytes" to ${path}: found 3 bytes, wanted 4 for the shape [2,2] as U8`,
    );
    assertEquals(await listFolder(dir), []);
  }));

Deno.test("writeSafetensors() writes bytes that are made while it writes, and refuses fewer or more than promised", () =>
  withFolder(async (dir) => {
    const streamed = (...sizes: number[]): TensorToWrite<StreamedData> => ({
      name: "a",
      dtype: "U8",
      shape: [6],
      data: {
        byteLength: 6,
        async *chunks() {
          for (const size of sizes) yield await Promise.resolve(new Uint8Array(size).fill(size));
        },
      },
    });
    await writeSafetensors(`${dir}/x.safetensors`, [streamed(2, 4)]);
    using file = await SafetensorsFile.open(`${dir}/x.safetensors`);
    assertEquals([...await file.read("a")], [2, 2, 4, 4, 4, 4]);
    for (const [sizes, length] of [[[2, 3], 5], [[6, 1], 7]] as const) {
      const { message } = await assertRejects(
        () => writeSafetensors(`${dir}/y.safetensors`, [streamed(...sizes)]),
        RangeError,
      );
      assertEquals(
        message,
        `Cannot write tensor "a" to ${dir}/y.safetensors: ${length} bytes came, wanted the 6 that were promised`,
      );
    }
    assertEquals(await listFolder(dir), ["x.safetensors"]);
  }));
