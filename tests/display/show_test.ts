import { assertEquals, assertStringIncludes } from "@std/assert";
import { contributionFigure } from "../../src/display/contribution_figure.ts";
import { Figure } from "../../src/display/figure.ts";
import { show } from "../../src/display/show.ts";
import { CONTRIBUTION } from "./sample_report.ts";

const TABLE = { columns: [{ header: "a" }], rows: [["1"]] };

/** What `show` prints. */
async function printed(value: unknown): Promise<unknown[]> {
  const lines: unknown[] = [];
  const log = console.log;
  console.log = (line: unknown) => lines.push(line);
  try {
    await show(value);
  } finally {
    console.log = log;
  }
  return lines;
}

Deno.test("show() prints the words of figures, the lines of tables and other values outside a notebook", async () => {
  const spec = contributionFigure(CONTRIBUTION);
  for (const value of [spec, new Figure(spec)]) {
    assertStringIncludes(String((await printed(value))[0]), 'What each layer adds to "Paris"\n  Attention: 8 values');
  }
  assertStringIncludes(String((await printed(TABLE))[0]), "a\n");
  assertEquals(await printed(42), [42]);
  const other = { [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "words" }) };
  assertEquals(await printed(other), ["words"]);
});
