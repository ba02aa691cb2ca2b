import { assertEquals } from "@std/assert";
import { makeDecoder } from "../../../src/model/tokenizer/decoder.ts";

const MARKS = { type: "Replace", pattern: { String: "\u2581" }, content: " " };

// What Python `tokenizers` 0.23.3 gives, where the library by itself gives something else.

Deno.test("makeDecoder() reads byte tokens as the Python library does: U+FEFF stays, every bad byte is one U+FFFD", () => {
  const decoder = makeDecoder("x", { type: "Sequence", decoders: [MARKS, { type: "ByteFallback" }, { type: "Fuse" }] });
  assertEquals(decoder.decode(["<0xEF>", "<0xBB>", "<0xBF>", "a"], false), "\ufeffa");
  assertEquals(decoder.decode(["<0xE2>", "<0x82>", "\u2581a"], false), "\ufffd\ufffd a");
  assertEquals([...decoder.bytes("<0xE2>"), ...decoder.bytes("\u2581a")], [0xe2, 0x20, 0x61]);
});

Deno.test("makeDecoder() has a token outside the byte-level alphabet as it stands", () => {
  const decoder = makeDecoder("x", { type: "ByteLevel" });
  assertEquals(decoder.decode(["\u0120a", "<\u20ac\u00a0>", "\u00c3", "\u00a9"], false), " a<\u20ac\u00a0>\u00e9");
  assertEquals([...decoder.bytes("\u010a\u0100\u00c3\u00a9")], [0x0a, 0x00, 0xc3, 0xa9]);
  assertEquals([...decoder.bytes("<\u20ac>")], [...new TextEncoder().encode("<\u20ac>")]);
});

Deno.test("makeDecoder() takes all marks off the first token of a metaspace text, and none where none is put", () => {
  const decode = (scheme: string, continues: boolean): string =>
    makeDecoder("x", { type: "Metaspace", replacement: "\u2581", prepend_scheme: scheme })
      .decode(["\u2581\u2581a", "\u2581b"], continues);
  assertEquals(decode("always", false), "a b");
  assertEquals(decode("never", false), "  a b");
  assertEquals(decode("always", true), "  a b");
});

Deno.test("makeDecoder() writes a dollar sign as it stands", () => {
  const decoder = makeDecoder("x", { ...MARKS, content: "$&$1" });
  assertEquals(decoder.decode(["a\u2581"], false), "a$&$1");
});
