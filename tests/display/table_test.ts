import { assert, assertEquals, assertThrows } from "@std/assert";
import { columns } from "../../src/display/glyph_width.ts";
import { markdownTable, type Table, terminalTable } from "../../src/display/table.ts";

const TABLE: Table = {
  caption: "Answers",
  columns: [{ header: "prompt", maxWidth: 8 }, { header: "p", align: "right" }, { header: "ok", align: "center" }],
  rows: [
    ["\u6f22\u5b57", "0.5", { text: "yes", tone: "good" }],
    ["a long prompt", "10", { text: "no", tone: "bad" }],
    ["a|b\n", "", ""],
  ],
};

Deno.test("terminalTable() lines up by what is seen", () => {
  assertEquals(terminalTable(TABLE, { color: false }).split("\n"), [
    "Answers",
    "prompt      p  ok",
    "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500  \u2500\u2500\u2500  \u2500\u2500\u2500",
    "\u6f22\u5b57      0.5  yes",
    "a long \u2026   10  no",
    "a|b\\n",
  ]);
});

Deno.test("terminalTable() breaks the widest cells between words where a line is too long", () => {
  const table: Table = {
    columns: [{ header: "prompt" }, { header: "p", align: "right" }, { header: "answer" }],
    rows: [["The capital of the country where Noyon is located is", "0.99", "Paris, the city of lights"]],
  };
  const lines = (width: number): string[] => terminalTable(table, { color: false, width }).split("\n");
  assertEquals([Infinity, 80, 60].map((width) => Math.max(...lines(width).map(columns))), [85, 80, 60]);
  assertEquals(lines(60).slice(2), [
    "The capital of the country   0.99  Paris, the city of lights",
    "where Noyon is located is",
  ]);
  assertEquals(Math.max(...lines(10).map(columns)), 12 + 2 + 4 + 2 + 12, "every column keeps room for a word");
});

Deno.test("terminalTable() has the same columns with colours", () => {
  const plain = terminalTable(TABLE, { color: false }).split("\n");
  const colored = terminalTable(TABLE, { color: true }).split("\n");
  assertEquals(colored.map(columns), plain.map(columns));
  assert(colored.some((line) => line.includes("\u001b[32myes\u001b[0m")), "good cells are green");
  assert(!plain.some((line) => line.includes("\u001b")), "no escape without colour");
});

Deno.test("terminalTable() writes no colours to what is not a terminal", async () => {
  const table = new URL("../../src/display/table.ts", import.meta.url).href;
  const script = `import { terminalTable } from ${JSON.stringify(table)};
    console.log(terminalTable({ columns: [{ header: "a" }], rows: [[{ text: "x", tone: "bad" }]] }));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script],
    stdout: "piped",
    stderr: "null",
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "a\n\u2500\nx\n");
});

Deno.test("markdownTable() escapes what Markdown reads and keeps strong cells", () => {
  const table: Table = {
    columns: TABLE.columns,
    rows: [...TABLE.rows.slice(2), ["*x*", "1", { text: "y", tone: "strong" }]],
  };
  assertEquals(markdownTable(table).split("\n"), [
    "| prompt | p | ok |",
    "| --- | ---: | :---: |",
    "| a\\|b\\\\n |  |  |",
    "| \\*x\\* | 1 | **y** |",
  ]);
});

Deno.test("terminalTable() and markdownTable() refuse a row of the wrong length", () => {
  const table: Table = { columns: [{ header: "a" }, { header: "b" }], rows: [["1", "2"], ["1"]] };
  for (const write of [terminalTable, markdownTable]) {
    assertThrows(
      () => write(table),
      RangeError,
      "Cannot write a table of 2 columns: row 1 has 1 cells, wanted one a column",
    );
  }
});
