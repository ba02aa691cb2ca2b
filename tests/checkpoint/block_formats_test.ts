import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BLOCK_FORMATS,
  describeId,
  type FormatName,
  formatOfId,
  widenBlocks,
} from "../../src/checkpoint/blocks/block_formats.ts";
import { repackIq4Nl, repackQ3_K, repackQ5_0 } from "../../src/checkpoint/blocks/repack.ts";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { bf16ToF32, f16ToF32, toBf16, toF16 } from "../../src/checkpoint/half.ts";
import { GoldenTensors } from "../../src/evaluation/conformance/golden_tensors.ts";

const GOLDENS = "fixtures/goldens/gguf";

/** Blocks of random bytes in one format. */
async function randomBlocks(format: FormatName): Promise<Uint8Array<ArrayBuffer>> {
  using file = await GgufFile.open(`${GOLDENS}/blocks.gguf`);
  return await file.read(`random.${format.toLowerCase()}`);
}

/** Values of a file's reference, in which minus zero is zero. */
async function reference(file: string, tensor: string): Promise<number[]> {
  using golden = await GoldenTensors.open(`${GOLDENS}/${file}.dequantised.safetensors`);
  return [...await golden.values(tensor)].map((value) => value + 0);
}

const quantised = (Object.keys(BLOCK_FORMATS) as FormatName[]).filter((format) => BLOCK_FORMATS[format].values > 1);

Deno.test("BLOCK_FORMATS has every quantised format that the reference blocks have", async () => {
  using file = await GgufFile.open(`${GOLDENS}/blocks.gguf`);
  assertEquals([...file.tensors.values()].map(({ format }) => format).sort(), quantised.toSorted());
});

for (const format of quantised) {
  Deno.test(`widenBlocks() gives every value of ${format} to the last bit`, async () => {
    const blocks = await randomBlocks(format);
    const want = await reference("blocks", `random.${format.toLowerCase()}`);
    assertEquals([...widenBlocks(format, blocks)].map((value) => value + 0), want);
    const shifted = new Uint8Array(blocks.length + 1);
    shifted.set(blocks, 1);
    assertEquals([...widenBlocks(format, shifted.subarray(1))].map((value) => value + 0), want, "at an odd address");
  });
}

Deno.test("widenBlocks() gives the values of a real quantiser to the last bit", async () => {
  for (const name of ["q4_0", "q4_1", "q5_0", "q8_0"]) {
    using file = await GgufFile.open(`${GOLDENS}/${name}.gguf`);
    for (const [tensor, { format }] of file.tensors) {
      const found = [...widenBlocks(format, await file.read(tensor))].map((value) => value + 0);
      assertEquals(found, await reference(name, tensor), `${name} ${tensor}`);
    }
  }
});

Deno.test("widenBlocks() widens half types exactly", async () => {
  const round = {
    f16: (values: number[]) => f16ToF32(toF16(values)),
    bf16: (values: number[]) => bf16ToF32(toBf16(values)),
  };
  for (const name of ["f16", "bf16"] as const) {
    using file = await GgufFile.open(`${GOLDENS}/${name}.gguf`);
    const { format } = file.info("blk.0.attn_v.weight");
    assertEquals(format, name.toUpperCase());
    const want = round[name](await reference("f32", "blk.0.attn_v.weight"));
    assertEquals(widenBlocks(format, await file.read("blk.0.attn_v.weight")), want);
  }
});

Deno.test("widenBlocks() refuses a torn block", () => {
  assertThrows(
    () => widenBlocks("Q4_K", new Uint8Array(145)),
    RangeError,
    "Cannot widen 145 bytes of Q4_K: wanted a multiple of 144 bytes; pass whole blocks",
  );
  assertEquals(widenBlocks("Q6_K", new Uint8Array(0)).length, 0);
});

for (
  const [from, to, repack] of [
    ["Q5_0", "Q8_0", repackQ5_0],
    ["IQ4_NL", "Q8_0", repackIq4Nl],
    ["Q3_K", "Q6_K", repackQ3_K],
  ] as const
) {
  Deno.test(`${repack.name}() writes ${from} as ${to} with the same values`, async () => {
    const blocks = await randomBlocks(from);
    const repacked = repack(blocks);
    assertEquals(
      repacked.length / BLOCK_FORMATS[to].bytes,
      blocks.length / BLOCK_FORMATS[from].bytes *
        BLOCK_FORMATS[from].values / BLOCK_FORMATS[to].values,
    );
    assertEquals(
      [...widenBlocks(to, repacked)].map((value) => value + 0),
      await reference("blocks", `random.${from.toLowerCase()}`),
    );
  });
}

Deno.test("formatOfId() and describeId() know the numbers of ggml", () => {
  assertEquals([0, 1, 2, 3, 8, 12, 14, 30].map(formatOfId), [
    "F32",
    "F16",
    "Q4_0",
    "Q4_1",
    "Q8_0",
    "Q4_K",
    "Q6_K",
    "BF16",
  ]);
  assertEquals([9, 16, 34, 99].map(formatOfId), [undefined, undefined, undefined, undefined]);
  assertEquals([9, 16, 34, 4].map(describeId), ["Q8_1", "IQ2_XXS", "TQ1_0", "type 4, which ggml does not have"]);
  assert(Object.values(BLOCK_FORMATS).every(({ id }) => formatOfId(id) !== undefined));
});
