import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { parseGgufHeader } from "../../src/checkpoint/gguf_header.ts";
import { f32Bytes, type RawGguf, rawGguf, type RawTensor } from "./gguf_files.ts";
import { FULL, parse, PATH, W } from "./gguf_headers.ts";

const again = "; fetch or convert the file again";
const tensors = (...changes: Partial<RawTensor>[]): RawGguf => ({
  tensors: changes.map((change) => ({ ...W, ...change })),
});
const pair = (...[type, value]: readonly [Parameters<typeof String>[0], unknown]): RawGguf =>
  ({ metadata: [["k", type, value]] }) as RawGguf;
/** The bytes of a file with some changed. */
const patched = (file: RawGguf, at: number, ...values: number[]): Uint8Array => {
  const bytes = rawGguf(file);
  bytes.set(values, at);
  return bytes;
};

const FAULTS: [string, RawGguf | Uint8Array, string][] = [
  [
    "an empty file",
    new Uint8Array(0),
    `the file ends at byte 0, within the mark of the format; it was cut short${again}`,
  ],
  [
    "another format",
    new TextEncoder().encode("PK\x03\x04 zip archive"),
    'it starts with "0x04034b50", wanted "GGUF" (0x46554747); it is no GGUF file: check the path',
  ],
  [
    "version 1",
    { version: 1 },
    "it has version 1 of GGUF, wanted 2 or 3; convert the model again with a present llama.cpp",
  ],
  ["version 4", { version: 4 }, "it has version 4 of GGUF, wanted 2 or 3"],
  ["version 0", { version: 0 }, "it has version 0 of GGUF, wanted 2 or 3"],
  ["a big-endian file", { version: 0x03000000 }, "it is big-endian, wanted little-endian; convert it with"],
  [
    "more pairs than the file can hold",
    { pairCount: 2n ** 40n },
    "it claims 1099511627776 as the number of metadata pairs, and at most 8 bytes are left for them",
  ],
  ["more tensors than the file can hold", { tensorCount: 2n ** 63n }, "it claims 9223372036854775808 as the number of"],
  [
    "a key longer than the file",
    patched(pair("u8", 1), 24, 255, 255, 255, 255, 255, 255, 255, 255),
    "it claims 18446744073709551615 as the length of key 0 of the metadata",
  ],
  [
    "a key above the limit of the format",
    { metadata: [["k".repeat(65536), "u8", 1]] },
    "key 0 of the metadata takes 65536 bytes, wanted at most 65535",
  ],
  [
    "a key that is no UTF-8",
    patched(pair("u8", 1), 32, 0xff),
    `key 0 of the metadata is no UTF-8 text${again}`,
  ],
  [
    "a key that stands twice",
    { metadata: [["k", "u8", 1], ["k", "u8", 2]] },
    `metadata "k" stands twice, wanted once${again}`,
  ],
  ["an unknown value type", patched(pair("u8", 1), 33, 13), 'metadata "k" has type 13, wanted 0 to 12'],
  [
    "an unknown element type",
    patched(pair("array", ["u8", [1]]), 37, 77),
    'metadata "k" is a list of type 77, wanted 0 to 12',
  ],
  ["a flag of 2", pair("bool", 2), 'metadata "k" is 2, wanted a flag of 0 or 1'],
  ["a list with a flag of 3", pair("array", ["bool", [1, 3]]), 'metadata "k" holds 3, wanted flags of 0 or 1'],
  [
    "a list longer than the file",
    patched(pair("array", ["f64", [1]]), 41, 0, 0, 0, 0, 1),
    'it claims 4294967296 as the number of elements of metadata "k"',
  ],
  [
    "lists in lists without end",
    pair("array", ["array", [["array", [["array", [["array", [["u8", []]]]]]]]]]),
    'metadata "k" nests more than 4 lists, wanted fewer',
  ],
  [
    "an alignment that is no power of two",
    { metadata: [["general.alignment", "u32", 48]] },
    `metadata "general.alignment" is 48, wanted a power of two from 8${again}`,
  ],
  ["an alignment of 0", { metadata: [["general.alignment", "u32", 0]] }, '"general.alignment" is 0, wanted a power of'],
  ["an alignment of 4", { metadata: [["general.alignment", "u32", 4]] }, '"general.alignment" is 4, wanted a power of'],
  [
    "an alignment that is a text",
    { metadata: [["general.alignment", "string", "32"]] },
    '"general.alignment" is "32", wanted a power of two',
  ],
  [
    "an alignment above all numbers",
    { metadata: [["general.alignment", "u64", 2n ** 63n]] },
    '"general.alignment" is 9223372036854775808, wanted a power of two',
  ],
  ["a tensor that stands twice", tensors({}, {}), `tensor "w" stands twice, wanted once${again}`],
  [
    "a name above the limit",
    tensors({ name: "w".repeat(65) }),
    "the name of tensor 0 takes 65 bytes, wanted at most 64",
  ],
  ["five dimensions", tensors({ dims: [1, 1, 1, 1, 6] }), 'tensor "w" has 5 dimensions, wanted at most 4'],
  [
    "a quantisation that cannot be read",
    tensors({ name: "blk.3.ffn_up.weight", type: 16 }),
    'tensor "blk.3.ffn_up.weight" is IQ2_XXS, wanted one of F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, ' +
    "Q5_K, Q6_K, IQ4_NL, IQ4_XS, BF16; choose another quantisation of the model",
  ],
  ["the quantisation Q8_1", tensors({ type: 9 }), 'tensor "w" is Q8_1, wanted one of'],
  ["the quantisation TQ1_0", tensors({ type: 34 }), 'tensor "w" is TQ1_0, wanted one of'],
  ["a type that ggml does not have", tensors({ type: 4 }), 'tensor "w" is type 4, which ggml does not have, wanted'],
  [
    "rows that end within a block",
    tensors({ type: 12, dims: [128, 2] }),
    'tensor "w" has rows of 128 values, wanted a multiple of 256 for blocks of Q4_K',
  ],
  [
    "a product that overflows 64 bits",
    tensors({ dims: [2n ** 32n, 2n ** 32n, 2n ** 32n] }),
    'tensor "w" has the dimensions [4294967296, 4294967296, 4294967296], wanted a size below 2^53 bytes',
  ],
  ["a dimension of 0", tensors({ dims: [0, 2n ** 63n] }), 'tensor "w" has a dimension of 0, wanted at least 1'],
  [
    "an offset beside the alignment",
    tensors({}, { name: "v", offset: 33n }),
    `tensor "v" has the offset 33, wanted a multiple of the alignment 32${again}`,
  ],
  [
    "an offset behind the file",
    tensors({ offset: 2n ** 50n }),
    'tensor "w" ends at byte 1125899906842744, and the file has 128; its offset is wrong or the file was cut short',
  ],
  [
    "an offset that wraps around",
    tensors({ offset: 2n ** 64n - 32n }),
    'tensor "w" ends at byte 18446744073709551704, and the file has 128',
  ],
  [
    "tensors in one place",
    tensors({}, { name: "v", offset: 0n }),
    `tensor "v" overlaps tensor "w": it begins at byte 128, wanted at least 152${again}`,
  ],
  [
    "tensors that overlap in part",
    { tensors: [{ ...W, dims: [12], data: f32Bytes(new Array(12).fill(0)) }, { ...W, name: "v", offset: 32n }] },
    'tensor "v" overlaps tensor "w": it begins at byte',
  ],
  [
    "data that is cut off",
    rawGguf({ tensors: [W] }).subarray(0, 128 - 9),
    "and the file has 119; its offset is wrong or",
  ],
];

for (const [name, file, message] of FAULTS) {
  Deno.test(`parseGgufHeader() refuses ${name}`, () => {
    const error = assertThrows(() => parse(file), FileError);
    assertStringIncludes(error.message, message);
    assert(error.message.startsWith("Cannot read x.gguf: "), error.message);
    assertEquals(error.path, PATH);
  });
}

Deno.test("parseGgufHeader() refuses a file that is cut at any byte", () => {
  const bytes = rawGguf(FULL);
  const lastOfTensors = bytes.length - 32 + 18;
  for (let length = 0; length < lastOfTensors; length++) {
    const error = assertThrows(() => parseGgufHeader(PATH, bytes.slice(0, length)), FileError);
    assert(/cut short|are left for them/.test(error.message), `${length}: ${error.message}`);
  }
});

/** Parses bytes that may be wrong; returns whether they were taken. */
function survives(bytes: Uint8Array): boolean {
  try {
    for (const { start, byteLength } of parse(bytes).tensors.values()) assert(start + byteLength <= bytes.length);
    return true;
  } catch (error) {
    assert(error instanceof FileError, String(error));
    assert(error.message.length < 600, error.message);
    return false;
  }
}

Deno.test("parseGgufHeader() never fails in another way when any byte of a file is flipped", () => {
  const good = rawGguf(FULL);
  let refused = 0;
  for (let at = 0; at < good.length - 64; at++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const bytes = good.slice();
      bytes[at]! ^= flip;
      if (!survives(bytes)) refused++;
    }
  }
  assert(refused > good.length, String(refused));
});

Deno.test("parseGgufHeader() never fails in another way, whatever is changed in a file or cut off", () => {
  const good = rawGguf(FULL);
  const change = fc.record({ at: fc.nat(good.length - 1), value: fc.integer({ min: 0, max: 255 }) });
  let refused = 0;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.option(fc.nat(good.length)), (changes, cut) => {
      const bytes = good.slice(0, cut ?? good.length);
      for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
      if (!survives(bytes)) refused++;
    }),
    { seed: 5, numRuns: 4000 },
  );
  assert(refused > 2000, String(refused));
});

Deno.test("parseGgufHeader() never fails in another way, whatever follows the mark of the format", () => {
  const small = fc.integer({ min: 0, max: 40 });
  const words = fc.array(fc.oneof(small, fc.integer({ min: 0, max: 2 ** 32 - 1 })), { maxLength: 60 });
  fc.assert(
    fc.property(words, fc.uint8Array({ maxLength: 40 }), (numbers, tail) => {
      const bytes = new Uint8Array(8 + 4 * numbers.length + tail.length);
      bytes.set([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0]);
      bytes.set(new Uint8Array(Uint32Array.from(numbers).buffer), 8);
      bytes.set(tail, 8 + 4 * numbers.length);
      survives(bytes);
    }),
    { seed: 6, numRuns: 4000 },
  );
});
