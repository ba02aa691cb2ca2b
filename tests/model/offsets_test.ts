import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { byteOf, tokenToBytes } from "../../src/model/byte_level.ts";
import { byteSpans, OffsetWalker, trimOffset } from "../../src/model/offsets.ts";

const nfc = (text: string): string => text.normalize("NFC");

Deno.test("byteSpans() gives every byte the range of its character", () => {
  const { bytes, start, end } = byteSpans("a\u00e9\u{1f642}", null, 10);
  assertEquals([...bytes], [0x61, 0xc3, 0xa9, 0xf0, 0x9f, 0x99, 0x82]);
  assertEquals([...start], [10, 11, 11, 12, 12, 12, 12]);
  assertEquals([...end], [11, 12, 12, 14, 14, 14, 14]);
});

Deno.test("byteSpans() gives U+FFFD for half a surrogate pair", () => {
  const { bytes, start, end } = byteSpans("a\ud83d", null, 0);
  assertEquals([...bytes], [0x61, 0xef, 0xbf, 0xbd]);
  assertEquals([[...start], [...end]], [[0, 1, 1, 1], [1, 2, 2, 2]]);
});

Deno.test("byteSpans() spells the normalized text with ordered ranges inside the original", () => {
  const mark = fc.constantFrom("\u0301", "\u0323", "\u0307", "\u1161", "\u11ab", "\u1112", "e", "\u0f75", "\u212b");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(mark), (head, marks) => {
      const text = head + marks.join("");
      const { bytes, start, end } = byteSpans(text, nfc, 0);
      assertEquals(bytes, new TextEncoder().encode(nfc(text)));
      for (let i = 0; i < bytes.length; i++) {
        if (i > 0 && start[i]! < start[i - 1]!) throw new Error(`byte ${i} goes back`);
        if (!(start[i]! < end[i]! && end[i]! <= text.length)) throw new Error(`byte ${i} is outside`);
      }
    }),
    { seed: 6 },
  );
});

Deno.test("OffsetWalker.place() refuses tokens that do not spell the text", () => {
  const walker = (): OffsetWalker => new OffsetWalker(byteSpans("ab", null, 0));
  assertThrows(
    () => walker().place("ac", ["ac"]),
    Error,
    'Cannot place "ac" in the text: the tokenizer gave what the text does not hold, wanted byte-level tokens; ' +
      "check the pre_tokenizer of its tokenizer.json",
  );
  assertThrows(() => walker().place("ab", ["b", "a"]), Error, 'Cannot place "a" in the text');
});

Deno.test("trimOffset() leaves out the spaces on both sides", () => {
  assertEquals(trimOffset("\u0120\u0120a\u0120", [3, 7], false), [5, 6]);
  assertEquals(trimOffset("\u0120a", [0, 2], true), [0, 2]);
  assertEquals(trimOffset("\u0120\u0120", [4, 6], false), [6, 6]);
});

Deno.test("tokenToBytes() spells all 256 bytes, each with a character of its own", () => {
  const bytes = new Set<number>();
  for (let code = 0; code < 0x144; code++) {
    const byte = byteOf(String.fromCharCode(code));
    if (byte !== undefined) bytes.add(byte);
  }
  assertEquals(bytes.size, 256);
  assertEquals([...tokenToBytes("\u0120Paris")], [...new TextEncoder().encode(" Paris")]);
  assertEquals([...tokenToBytes("\u010a\u0100\u00c3\u00a9")], [0x0a, 0x00, 0xc3, 0xa9]);
  assertEquals([...tokenToBytes("<\u20ac>")], [...new TextEncoder().encode("<\u20ac>")]);
});
