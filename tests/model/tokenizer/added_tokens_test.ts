import { assertEquals } from "@std/assert";
import { Tokenizer } from "../../../src/model/tokenizer.ts";

Deno.test("an added token does not take white space again that the one before it took, as in the Python library", () => {
  const tokenizer = Tokenizer.from({
    model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] },
    added_tokens: [
      { id: 2, content: "<s>", rstrip: true },
      { id: 3, content: "\n", lstrip: true, rstrip: true },
      { id: 4, content: "  ", lstrip: true },
    ],
    decoder: { type: "Fuse" },
  });
  // The first two are values of Python `tokenizers` 0.23.3, which panics at the third.
  const goldens: [string, number[], [number, number][]][] = [
    ["a<s>\n b", [0, 2, 1], [[0, 1], [1, 6], [6, 7]]],
    ["a\n  b", [0, 3, 1], [[0, 1], [1, 4], [4, 5]]],
    ["a<s>   b", [0, 2, 1], [[0, 1], [1, 7], [7, 8]]],
  ];
  for (const [text, ids, offsets] of goldens) {
    const found = tokenizer.encodeWithOffsets(text);
    assertEquals([found.ids, found.offsets], [ids, offsets], JSON.stringify(text));
  }
});
