import { assertEquals } from "@std/assert";
import { GgufFile } from "../../src/checkpoint/gguf_file.ts";
import { parseGgufHeader } from "../../src/checkpoint/gguf_header.ts";
import { plainMetadata } from "../../src/checkpoint/gguf_metadata.ts";
import { f32Bytes, memorySource, rawGguf } from "./gguf_files.ts";
import { B, FULL, parse, PATH, W } from "./gguf_headers.ts";

Deno.test("parseGgufHeader() gives values of every type and the places of tensors", () => {
  const bytes = rawGguf(FULL);
  const { version, alignment, metadata, tensors } = parse(bytes);
  assertEquals([version, alignment], [3, 32]);
  assertEquals([...metadata], [
    ["a.u8", 255],
    ["a.i8", -1],
    ["a.u16", 65535],
    ["a.i16", -2],
    ["a.u32", 4294967295],
    ["a.i32", -3],
    ["a.f32", 0.5],
    ["a.f64", 0.1],
    ["a.yes", true],
    ["a.text", "Füße"],
    ["a.u64", 7],
    ["a.big", 2n ** 64n - 1n],
    ["a.i64", -8],
    ["a.texts", ["", "b"]],
    ["a.flags", Uint8Array.of(0, 1)],
    ["a.ints", Int32Array.of(1, -2)],
    ["a.lists", [Uint8Array.of(1), []]],
    ["__proto__", "just a key"],
  ]);
  const data = bytes.length - 64;
  assertEquals([...tensors], [
    ["w", { format: "F32", shape: [2, 3], byteLength: 24, start: data }],
    ["b", { format: "Q4_0", shape: [32], byteLength: 18, start: data + 32 }],
  ]);
});

Deno.test("parseGgufHeader() takes version 2, other alignments, scalars and files without tensors", () => {
  assertEquals(parse({ ...FULL, version: 2 }).version, 2);
  assertEquals(parse({}).tensors.size, 0);
  const wide = parse({ metadata: [["general.alignment", "u32", 64]], tensors: [W, B], alignment: 64 });
  assertEquals([wide.alignment, wide.tensors.get("b")!.start - wide.tensors.get("w")!.start], [64, 64]);
  const scalar = parse({ tensors: [{ name: "scalar", type: 0, dims: [], data: f32Bytes([1]) }] }).tensors.get(
    "scalar",
  )!;
  assertEquals([scalar.shape, scalar.byteLength], [[], 4]);
});

Deno.test("plainMetadata() makes arrays of numbers, keeps bytes, and has no prototype", () => {
  const plain = plainMetadata(parse(FULL).metadata);
  assertEquals(plain["a.ints"], [1, -2]);
  assertEquals(plain["a.flags"], Uint8Array.of(0, 1));
  assertEquals(plain["__proto__"], "just a key");
  assertEquals(Object.getPrototypeOf(plain), null);
});

Deno.test("parseGgufHeader() asks for more where the file goes on, and gives the same header from any front", () => {
  const bytes = rawGguf(FULL);
  const whole = parse(bytes);
  const headerEnd = bytes.length - 64;
  for (let length = 0; length < bytes.length; length++) {
    const header = parseGgufHeader(PATH, bytes.slice(0, length), bytes.length);
    if (length >= headerEnd) assertEquals(header, whole);
    else if (header !== null) assertEquals(header, whole, "only padding was missing");
  }
});

Deno.test("GgufFile reads a header of any length from small pieces of the file", async () => {
  const texts = Array.from({ length: 30000 }, (_, i) => `token ${i} ${"x".repeat(60)}`);
  const data = f32Bytes(new Array(1 << 20).fill(3));
  const bytes = rawGguf({
    metadata: [["tokens", "array", ["string", texts]]],
    tensors: [{ name: "w", type: 0, dims: [1 << 20], data }],
  });
  const reads: number[] = [];
  using file = await GgufFile.from(memorySource(bytes, reads));
  assertEquals((file.metadata.get("tokens") as string[]).at(-1), texts.at(-1));
  assertEquals(reads, [1 << 20, 1 << 21, 1 << 22]);
  assertEquals(await file.read("w", 4, 4), f32Bytes([3]));
});
