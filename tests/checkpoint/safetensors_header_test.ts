import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FileError } from "../../src/checkpoint/file_error.ts";
import {
  MAX_HEADER_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
} from "../../src/checkpoint/safetensors_header.ts";
import { rawFile } from "./files.ts";

/** Parses a whole file in memory. */
function parse(bytes: Uint8Array): SafetensorsHeader {
  const length = parseHeaderLength("x.safetensors", bytes.subarray(0, 8), bytes.length);
  return parseHeader("x.safetensors", bytes.subarray(8, 8 + length), bytes.length);
}

const entry = (dtype: unknown, shape: unknown, offsets: unknown): Record<string, unknown> => ({
  dtype,
  shape,
  data_offsets: offsets,
});

Deno.test("parseHeader() gives tensors in the order of their bytes, with places and metadata", () => {
  const header = {
    b: entry("F32", [2, 3], [3, 27]),
    __metadata__: { format: "pt", note: "" },
    a: entry("U8", [3], [0, 3]),
    empty: entry("F64", [0, 9], [3, 3]),
    scalar: entry("BF16", [], [27, 29]),
  };
  const bytes = rawFile(header, 29);
  const { tensors, metadata } = parse(bytes);
  const data = bytes.length - 29;
  assertEquals([...tensors], [
    ["a", { dtype: "U8", shape: [3], byteLength: 3, start: data }],
    ["empty", { dtype: "F64", shape: [0, 9], byteLength: 0, start: data + 3 }],
    ["b", { dtype: "F32", shape: [2, 3], byteLength: 24, start: data + 3 }],
    ["scalar", { dtype: "BF16", shape: [], byteLength: 2, start: data + 27 }],
  ]);
  assertEquals([...metadata], [["format", "pt"], ["note", ""]]);
});

Deno.test("parseHeader() accepts a header without tensors, padding and the names that objects inherit", () => {
  assertEquals(parse(rawFile("{}", 0)).tensors.size, 0);
  assertEquals(parse(rawFile('{"x":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}    ', 1)).tensors.size, 1);
  const text = '{"__proto__":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},' +
    '"toString":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}}';
  assertEquals([...parse(rawFile(text, 2)).tensors.keys()], ["__proto__", "toString"]);
});

const again = "fetch or write the file again";
const one = (dtype: unknown, shape: unknown, offsets: unknown): unknown => ({ w: entry(dtype, shape, offsets) });

const FAULTS: [string, Uint8Array, string][] = [
  ["an empty file", new Uint8Array(0), `found 0 bytes, wanted at least the 8 that hold the header's length`],
  ["a file of seven bytes", new Uint8Array(7), `found 7 bytes, wanted at least the 8`],
  [
    "a header above the limit",
    rawFile("{}", 0, BigInt(MAX_HEADER_BYTES) + 1n),
    `its header claims 100000001 bytes, wanted at most 100000000; it is no safetensors file or damaged: ${again}`,
  ],
  ["a length of 64 bits", rawFile("{}", 0, 2n ** 64n - 1n), "its header claims 18446744073709551615 bytes"],
  [
    "a header beyond the file",
    rawFile("{}", 0, 3n),
    `its header claims 3 bytes, but the file holds 10 in all; the file is truncated: ${again}`,
  ],
  ["a header of no bytes", rawFile("", 4), 'its header starts with byte none, wanted "{" (123)'],
  ["a space before the brace", rawFile(" {}", 0), 'its header starts with byte 32, wanted "{" (123)'],
  ["a list", rawFile("[]", 0), 'its header starts with byte 91, wanted "{" (123)'],
  ["broken JSON", rawFile('{"a": ', 0), "its header is no JSON ("],
  ["text that is no UTF-8", Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x22), "its header is no JSON ("],
  [
    "a name that stands twice",
    rawFile(
      '{"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
    'its header names "w" twice, wanted every name once',
  ],
  ["metadata that is no map", rawFile({ __metadata__: [1] }, 0), 'metadata "__metadata__" is [1], wanted a map'],
  [
    "metadata with a number",
    rawFile({ __metadata__: { n: 3 } }, 0),
    'metadata "n" is 3, wanted a map from text to text',
  ],
  ["an entry that is no object", rawFile({ w: 3 }, 0), 'tensor "w" has the entry 3, wanted an object with dtype'],
  [
    "an unknown dtype",
    rawFile(one("F7", [1], [0, 1]), 1),
    'tensor "w" has the dtype "F7", wanted one of BOOL, U8, I8',
  ],
  ["an inherited dtype", rawFile(one("toString", [1], [0, 1]), 1), 'the dtype "toString", wanted one of'],
  ["a missing dtype", rawFile(one(undefined, [1], [0, 1]), 1), "the dtype nothing, wanted one of"],
  ["a negative size", rawFile(one("I8", [-1], [0, 1]), 1), "the shape [-1], wanted a list of whole numbers from 0"],
  ["a fractional size", rawFile(one("I8", [1.5], [0, 1]), 1), "the shape [1.5], wanted a list of whole numbers"],
  [
    "a size above 2^53",
    rawFile('{"w":{"dtype":"I8","shape":[9007199254740993],"data_offsets":[0,1]}}', 1),
    "the shape",
  ],
  ["a shape that is no list", rawFile(one("I8", 4, [0, 4]), 4), "the shape 4, wanted a list"],
  [
    "a product that overflows",
    rawFile(one("F32", [2 ** 26, 2 ** 26, 2 ** 12], [0, 0]), 0),
    "the shape [67108864,67108864,4096], wanted a size below 2^53 bytes as F32",
  ],
  ["missing offsets", rawFile(one("I8", [1], undefined), 1), "the data_offsets nothing, wanted [begin, end]"],
  ["three offsets", rawFile(one("I8", [1], [0, 1, 2]), 1), "the data_offsets [0,1,2], wanted [begin, end]"],
  ["offsets in reverse", rawFile(one("I8", [1], [1, 0]), 1), "the data_offsets [1,0], wanted [begin, end]"],
  ["negative offsets", rawFile(one("I8", [1], [-1, 0]), 1), "the data_offsets [-1,0], wanted [begin, end]"],
  [
    "too few bytes for the shape",
    rawFile(one("F32", [2, 2], [0, 12]), 12),
    'tensor "w" has 12 bytes (data_offsets [0, 12]), wanted 16 for the shape [2,2] as F32',
  ],
  [
    "data that begins late",
    rawFile(one("I8", [1], [1, 2]), 2),
    'tensor "w" leaves a gap behind the start of the data: it begins at byte 1 of the data, wanted 0',
  ],
  [
    "a gap",
    rawFile({ a: entry("I8", [2], [0, 2]), b: entry("I8", [1], [3, 4]) }, 4),
    'tensor "b" leaves a gap behind tensor "a": it begins at byte 3 of the data, wanted 2',
  ],
  [
    "an overlap",
    rawFile({ b: entry("I8", [3], [1, 4]), a: entry("I8", [2], [0, 2]) }, 4),
    'tensor "b" overlaps tensor "a": it begins at byte 1 of the data, wanted 2',
  ],
  [
    "two tensors in one place",
    rawFile({ a: entry("I8", [2], [0, 2]), b: entry("I8", [2], [0, 2]) }, 2),
    'tensor "b" overlaps tensor "a"',
  ],
  ["data that is cut off", rawFile(one("F32", [4], [0, 16]), 15), "the file is truncated"],
  ["data that nobody owns", rawFile(one("F32", [4], [0, 16]), 17), "bytes follow that belong to no tensor"],
];

for (const [name, bytes, message] of FAULTS) {
  Deno.test(`parseHeader() refuses ${name}`, () => {
    const error = assertThrows(() => parse(bytes), FileError);
    assertStringIncludes(error.message, message);
    assert(error.message.startsWith("Cannot read x.safetensors: "), error.message);
    assertEquals(error.path, "x.safetensors");
  });
}

/** Parses bytes that may be wrong; returns whether they were taken. */
function survives(bytes: Uint8Array): boolean {
  try {
    let end = 0;
    for (const { start, byteLength } of parse(bytes).tensors.values()) end = start + byteLength;
    assert(end <= bytes.length);
    return true;
  } catch (error) {
    assert(error instanceof FileError, String(error));
    assert(error.message.length < 600, error.message);
    return false;
  }
}

Deno.test("parseHeader() never fails in another way when any byte of the length or the header is flipped", () => {
  const dataBytes = 12;
  const good = rawFile(
    { __metadata__: { a: "b" }, a: entry("I8", [4], [0, 4]), b: entry("F32", [2], [4, 12]) },
    dataBytes,
  );
  const taken: number[] = [];
  for (let at = 0; at < good.length - dataBytes; at++) {
    for (const flip of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      const bytes = good.slice();
      bytes[at]! ^= flip;
      if (survives(bytes)) taken.push(at);
    }
  }
  // No flip of the length is taken; in the header some give other names, and a type as wide.
  assert(taken.every((at) => at >= 8));
  assert(taken.length < good.length, String(taken.length));
});

Deno.test("parseHeader() never fails in another way, whatever is changed in a file", () => {
  const good = rawFile(
    { __metadata__: { a: "b" }, a: entry("I8", [2, 2], [0, 4]), b: entry("F32", [2], [4, 12]) },
    12,
  );
  const change = fc.record({ at: fc.nat(good.length - 1), value: fc.integer({ min: 0, max: 255 }) });
  const cut = fc.integer({ min: -3, max: good.length });
  let refused = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), cut, (changes, missing) => {
      const bytes = new Uint8Array(good.length + Math.max(0, -missing));
      bytes.set(good);
      for (const { at, value } of changes) bytes[at] = value;
      if (!survives(bytes.subarray(0, bytes.length - Math.max(0, missing)))) refused++;
    }),
    { seed: 3, numRuns: 2000 },
  );
  assert(refused > 1000);
});

Deno.test("parseHeader() never fails in another way, whatever JSON the header holds", () => {
  const some = fc.oneof(fc.jsonValue(), fc.array(fc.nat(9)));
  const tensor = fc.record({
    dtype: fc.oneof(fc.constantFrom("F32", "I8"), some),
    shape: some,
    data_offsets: some,
  }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(tensor, some)), fc.nat(40), (header, dataBytes) => {
      try {
        parse(rawFile(header, dataBytes));
      } catch (error) {
        assert(error instanceof FileError, String(error));
      }
    }),
    { seed: 4, numRuns: 1000 },
  );
});

Deno.test("parseHeader() quotes names so that they cannot command a terminal, and cuts long ones", () => {
  const message = (name: string): string =>
    assertThrows(() => parse(rawFile({ [name]: entry("F32", [1], [4, 8]) }, 8)), FileError).message;
  assertStringIncludes(message("\u001b[2J"), 'tensor "\\u001b[2J" leaves a gap behind the start of the data');
  assertStringIncludes(message("x".repeat(1e6)), `tensor "${"x".repeat(59)}... leaves a gap`);
});
