import { assertEquals } from "@std/assert";
import { PlacedText } from "../../../src/model/tokenizer/placed_text.ts";
import { makePreTokenizer } from "../../../src/model/tokenizer/pre_tokenizer.ts";

type Split = [behavior: string, invert: boolean, pieces: string[]];

/** What Python `tokenizers` 0.23.3 gives for `Split("-", behavior, invert)` and `Split(Regex("\\s"), ...)`. */
const MATCHED: Split[] = [
  ["Isolated", false, ["the", "-", "final", "-", "-", "countdown"]],
  ["Isolated", true, ["the", "-", "final", "-", "-", "countdown"]],
  ["Removed", false, ["the", "final", "countdown"]],
  ["Removed", true, ["-", "-", "-"]],
  ["MergedWithPrevious", false, ["the-", "final-", "-", "countdown"]],
  ["MergedWithPrevious", true, ["the", "-final", "-", "-countdown"]],
  ["MergedWithNext", false, ["the", "-final", "-", "-countdown"]],
  ["MergedWithNext", true, ["the-", "final-", "-", "countdown"]],
  ["Contiguous", false, ["the", "-", "final", "--", "countdown"]],
  ["Contiguous", true, ["the", "-", "final", "--", "countdown"]],
];

Deno.test("makePreTokenizer() treats the matches of a split in five ways, and inverted", () => {
  const text = "the-final--countdown";
  for (const pattern of [{ String: "-" }, { Regex: "[^\\p{L}]" }]) {
    for (const [behavior, invert, wanted] of MATCHED) {
      const pieces = makePreTokenizer("x", { type: "Split", pattern, behavior, invert }, true)(PlacedText.of(text));
      assertEquals(pieces.map((piece) => piece.text), wanted, `${behavior} ${invert}`);
      for (const piece of pieces) {
        const [from, to] = piece.range(0, piece.text.length);
        assertEquals(text.slice(from, to), piece.text);
      }
    }
  }
  const removed = makePreTokenizer("x", {
    type: "Split",
    pattern: { String: "-" },
    behavior: "Removed",
    invert: false,
  }, true);
  assertEquals(removed(PlacedText.of(text))[1]!.range(0, 5), [4, 9]);
});

Deno.test("makePreTokenizer() puts one prefix before all splits of a byte-level step, and none on a continuing text", () => {
  const step = { type: "ByteLevel", add_prefix_space: true, use_regex: true };
  const words = (prefix: boolean): string[] =>
    makePreTokenizer("x", step, prefix)(PlacedText.of("hi  \u00e9 there")).map(({ text }) => text);
  assertEquals(words(true), ["\u0120hi", "\u0120", "\u0120\u00c3\u00a9", "\u0120there"]);
  assertEquals(words(false), ["hi", "\u0120", "\u0120\u00c3\u00a9", "\u0120there"]);
});
