import { NFCNormalizer, NFDNormalizer, NFKCNormalizer, NFKDNormalizer } from "@huggingface/tokenizers";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PlacedText, utf8Length } from "../../../src/model/tokenizer/placed_text.ts";
import { toUnicodeForm } from "../../../src/model/tokenizer/unicode_forms.ts";

const NFC = new NFCNormalizer({ type: "NFC" });
const NFKC = new NFKCNormalizer({ type: "NFKC" });

const ranges = (text: PlacedText): [string, number, number][] =>
  text.characters().map(({ text, start, end }) => [text, start, end]);

Deno.test("PlacedText.of() puts every character on its own range and mends halves of pairs", () => {
  assertEquals(ranges(PlacedText.of("a\u{1f642}b")), [["a", 0, 1], ["\u{1f642}", 1, 3], ["b", 3, 4]]);
  assertEquals(ranges(PlacedText.of("a\ud83d")), [["a", 0, 1], ["\ufffd", 1, 2]]);
  assertEquals(PlacedText.of("").characters(), []);
});

Deno.test("PlacedText keeps ranges through slices, new spellings and replacements", () => {
  const text = PlacedText.of("x a\u{1f642}b");
  const slice = text.slice(1, 5);
  assertEquals(ranges(slice), [[" ", 1, 2], ["a", 2, 3], ["\u{1f642}", 3, 5]]);
  assertEquals(slice.range(1, 4), [2, 5]);
  const length = (character: string): number => character.length;
  assertEquals(ranges(slice.respell("__ a\u{1f642}", length)).slice(0, 4), [
    ["_", 1, 2],
    ["_", 1, 2],
    [" ", 1, 2],
    ["a", 2, 3],
  ]);
  assertEquals(ranges(slice.respell(" aWXYZ", utf8Length)).slice(1), [
    ["a", 2, 3],
    ["W", 3, 5],
    ["X", 3, 5],
    ["Y", 3, 5],
    ["Z", 3, 5],
  ]);
  assertEquals(slice.cut([" a", "\u{1f642}"]).map(ranges), [[[" ", 1, 2], ["a", 2, 3]], [["\u{1f642}", 3, 5]]]);
  assertEquals(ranges(text.replace(/a\u{1f642}/gu, "QR")), [
    ["x", 0, 1],
    [" ", 1, 2],
    ["Q", 3, 5],
    ["R", 3, 5],
    ["b", 5, 6],
  ]);
  assertEquals(text.replace(/z/g, "Q"), text);
});

Deno.test("toUnicodeForm() spells what the engine does, with ordered ranges inside the original", () => {
  const marks = ["\u0301", "\u0323", "\u0307", "\u0334", "\u0345", "\u1161", "\u11ab", "\u1112", "\u0f75", "\u0344"];
  const letters = ["e", "a\u0323", "\u212b", "\ufb01", "\u00bd", "\u1e69", "\uac01", "\u{1f642}", "\u2adc"];
  const piece = fc.constantFrom(...marks, ...letters);
  for (const step of [NFC, new NFDNormalizer({ type: "NFD" }), NFKC, new NFKDNormalizer({ type: "NFKD" })]) {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const normalized = toUnicodeForm(PlacedText.of(text), step);
        assertEquals(normalized.text, text.normalize(step.form));
        for (const { start, end } of normalized.characters()) {
          if (!(0 <= start && start < end && end <= text.length)) throw new Error(`${start} to ${end} is outside`);
        }
      }),
      { seed: 6, numRuns: 500 },
    );
  }
});

Deno.test("toUnicodeForm() leaves characters alone that the reference does not know", () => {
  assertEquals(toUnicodeForm(PlacedText.of("\u{11935}\u{11930}"), NFC).text, "\u{11935}\u{11930}");
  assertEquals(toUnicodeForm(PlacedText.of("\u32ff"), NFKC).text, "\u32ff");
});

Deno.test("PlacedText and toUnicodeForm() take texts longer than a call takes arguments", () => {
  const long = "a".repeat(200_000);
  const marked = PlacedText.of(`${long} ${long}`).replace(/ /g, "\u2581");
  assertEquals(marked.text, `${long}\u2581${long}`);
  assertEquals(marked.range(200_001, 400_001), [200_001, 400_001]);
  const composed = toUnicodeForm(PlacedText.of(`${long}e\u0301`), new NFCNormalizer({ type: "NFC" }));
  assertEquals(composed.text, `${long}\u00e9`);
});
