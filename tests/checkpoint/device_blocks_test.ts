import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { PackedFormat } from "../../src/checkpoint/weight_source.ts";
import { dtypeBytes, type PackedDtype } from "../../src/gpu/tensor.ts";
import {
  countNonFiniteScales,
  DEVICE_BLOCKS,
  deviceBytes,
  deviceChunks,
  isPackedFormat,
  toDeviceBlocks,
} from "../../src/checkpoint/device_blocks.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { PACKED_NAMES, type PackedName, randomBlocks, unpacked } from "../reference/packed.ts";

const FORMATS = Object.keys(DEVICE_BLOCKS) as PackedFormat[];

/** Where the tensors of `fixtures/goldens/gguf/blocks.gguf` begin, and their values. */
const RANDOM: Readonly<Record<PackedName, { at: number; values: number }>> = {
  q4_0: { at: 704, values: 6 * 256 },
  q4_1: { at: 1568, values: 6 * 256 },
  q8_0: { at: 4736, values: 6 * 256 },
  q4_k: { at: 8736, values: 6 * 512 },
  q6_k: { at: 12576, values: 6 * 512 },
};

function blocks(format: PackedFormat, count: number): Uint8Array<ArrayBuffer> {
  const random = new SeededRandom(20240607, "blocks", format);
  return randomBlocks(format.toLowerCase() as PackedName, count * DEVICE_BLOCKS[format].values, () => random.uniform());
}

async function joined(parts: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const part of parts) bytes.push(...part);
  return bytes;
}

async function* cut(bytes: Uint8Array<ArrayBuffer>, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
}

Deno.test("unpacked() of the packed twin agrees with the reference values of random blocks", async () => {
  const folder = "fixtures/goldens/gguf";
  const file = await Deno.readFile(`${folder}/blocks.gguf`);
  using reference = await SafetensorsFile.open(`${folder}/blocks.dequantised.safetensors`);
  for (const name of PACKED_NAMES) {
    const { at, values } = RANDOM[name];
    const { values: perBlock, fileBytes } = DEVICE_BLOCKS[name.toUpperCase() as PackedFormat];
    const got = unpacked(name, file.subarray(at, at + values / perBlock * fileBytes));
    const want = new Float32Array((await reference.read(`random.${name}`)).buffer);
    assertEquals(want.length, values);
    assertEquals([...Float32Array.from(got)], [...want], name);
  }
});

Deno.test("deviceBytes() is what tensors of the format take, as large as the file but for Q6_K", () => {
  for (const format of FORMATS) {
    const { values, fileBytes } = DEVICE_BLOCKS[format];
    for (const elements of [256, 512, 96 * 256]) {
      assertEquals(deviceBytes(format, elements), dtypeBytes(format.toLowerCase() as PackedDtype, elements), format);
      const same = elements / values * fileBytes;
      assertEquals(deviceBytes(format, elements), format === "Q6_K" ? same * 216 / 210 : same);
    }
  }
  assertEquals([deviceBytes("Q4_0", 32), deviceBytes("Q8_0", 288)], [144, 544]);
  assertEquals([isPackedFormat("Q4_0"), isPackedFormat("Q5_0"), isPackedFormat("F32")], [true, false, false]);
});

Deno.test("toDeviceBlocks() fills a last group with zeros and takes blocks at any address", () => {
  for (const format of FORMATS) {
    const bytes = blocks(format, 1);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const packed = toDeviceBlocks(format, bytes);
    assertEquals(packed.length, DEVICE_BLOCKS[format].groupBytes);
    assertEquals(toDeviceBlocks(format, shifted.subarray(1)), packed);
  }
  assertEquals(toDeviceBlocks("Q4_0", new Uint8Array(0)).length, 0);
});

Deno.test("countNonFiniteScales() finds scales that are no numbers, and takes any codes", () => {
  for (const format of FORMATS) {
    const { fileBytes, scales } = DEVICE_BLOCKS[format];
    const bytes = blocks(format, 3);
    assertEquals(countNonFiniteScales(format, bytes), 0);
    const view = new DataView(bytes.buffer);
    for (const [i, scale] of scales.entries()) view.setFloat16(i * fileBytes + scale, i === 0 ? NaN : -Infinity, true);
    assertEquals(countNonFiniteScales(format, bytes), scales.length);
  }
});

Deno.test("toDeviceBlocks() refuses bytes that are no whole blocks", () => {
  assertThrows(
    () => toDeviceBlocks("Q4_1", new Uint8Array(30)),
    RangeError,
    "Cannot pack 30 bytes of Q4_1: wanted a multiple of 20 bytes; pass whole blocks",
  );
});

Deno.test("deviceChunks() gives the same bytes for parts of any size", async () => {
  for (const format of FORMATS) {
    const bytes = blocks(format, 19);
    const whole = [...toDeviceBlocks(format, bytes)];
    for (const size of [7, 144, 1000, bytes.length]) {
      assertEquals(await joined(deviceChunks(format, cut(bytes, size))), whole);
    }
  }
  await assertRejects(
    () => joined(deviceChunks("Q8_0", cut(new Uint8Array(35), 20))),
    RangeError,
    "Cannot pack 35 bytes of Q8_0: wanted a multiple of 34 bytes",
  );
});
