import { assertAlmostEquals, assertEquals } from "@std/assert";
import { columns, fit, fitWidth, textWidth, wrapText } from "../../src/display/glyph_width.ts";

Deno.test("textWidth() adds the advances of Helvetica", () => {
  // H 722, i 222 (Adobe font metrics of Helvetica, in 1/1000 em).
  assertAlmostEquals(textWidth("Hi", 10), 9.44, 1e-12);
});

Deno.test("textWidth() gives nothing to combining marks and a full em to wide signs", () => {
  assertEquals(textWidth("e\u0301", 10), textWidth("e", 10));
  assertEquals(textWidth("\u6f22", 10), 10);
});

Deno.test("columns() counts what a terminal shows", () => {
  const texts = [
    "abc",
    "\u6f22\u5b57",
    "e\u0301",
    "\u{1f600}",
    "\u{1f469}\u200d\u{1f4bb}",
    "\u001b[31mred\u001b[0m",
    "",
  ];
  assertEquals(texts.map(columns), [3, 4, 1, 2, 2, 3, 0]);
});

Deno.test("fit() cuts by columns and never through a sign", () => {
  assertEquals(fit("abcdef", 6), "abcdef");
  assertEquals(fit("abcdef", 4), "abc\u2026");
  assertEquals(fit("\u6f22\u5b57\u6f22", 4), "\u6f22\u2026");
});

Deno.test("fitWidth() cuts by pixels and drops what would lose all but a letter", () => {
  // Ten letters of 5.56 px; the ellipsis has the advance of a small letter.
  assertEquals(fitWidth("aaaaaaaaaa", 10, 56), "aaaaaaaaaa");
  assertEquals(fitWidth("aaaaaaaaaa", 10, 23), "aaa\u2026");
  assertEquals(fitWidth("aaaaaaaaaa", 10, 12), "");
});

Deno.test("wrapText() breaks at spaces and leaves long words whole", () => {
  assertEquals(wrapText("aa aa aaaaaaaaaa aa", 10, 30), ["aa aa", "aaaaaaaaaa", "aa"]);
  assertEquals(wrapText("", 10, 30), [""]);
});
