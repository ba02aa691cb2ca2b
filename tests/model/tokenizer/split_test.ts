import { assertEquals } from "@std/assert";
import { PlacedText } from "../../../src/model/tokenizer/placed_text.ts";
import { split, type SplitBehavior } from "../../../src/model/tokenizer/split.ts";

Deno.test("split() treats matches in five ways", () => {
  // What Python `tokenizers` 0.23.3 gives for Split("-", behavior) on this text.
  const wanted: [SplitBehavior, string[]][] = [
    ["Isolated", ["the", "-", "final", "-", "-", "countdown"]],
    ["Removed", ["the", "final", "countdown"]],
    ["MergedWithPrevious", ["the-", "final-", "-", "countdown"]],
    ["MergedWithNext", ["the", "-final", "-", "-countdown"]],
    ["Contiguous", ["the", "-", "final", "--", "countdown"]],
  ];
  const text = PlacedText.of("the-final--countdown");
  for (const [behavior, pieces] of wanted) assertEquals(split(text, /-/g, behavior).map(({ text }) => text), pieces);
  assertEquals(split(text, /-/g, "Removed", true).map(({ text }) => text), ["-", "-", "-"]);
  assertEquals(split(text, /-/g, "Removed")[1]!.range(0, 5), [4, 9]);
});
