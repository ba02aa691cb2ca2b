import { assertEquals } from "@std/assert";
import { terminalTable } from "../../src/display/table.ts";
import { DEMO_ROW_SCHEMA, demoKey } from "../../src/evaluation/demo_row.ts";
import { summarizeDemo } from "../../src/evaluation/demo_summary.ts";
import { demoNotes, demoTable } from "../../src/evaluation/demo_table_report.ts";
import { answersOf, rowOf } from "./demo_rows.ts";

const COUNTS = {
  cases: 1,
  chains: 4,
  supportHeads: 6,
  neighbours: 8,
  twoHopNeighbours: 7,
  sameSubject: 3,
  far: 45,
  preservedSubjects: 20,
  preservedChains: 19,
};

const ROWS = [
  rowOf({ configuration: "ACE chain", layers: [7], counts: COUNTS }),
  rowOf({ configuration: "ACE chain", layers: [7], counts: COUNTS, caseId: 2, after: answersOf(false) }),
  rowOf({ configuration: "ACE chain", layers: [6], seed: 1 }),
  rowOf({ configuration: "PMET", failure: "Cannot search", after: answersOf(false) }),
];

Deno.test("summarizeDemo() takes means of the first seed and the range over seeds, in the suite's order", () => {
  const [pmet, chain] = summarizeDemo(ROWS);
  assertEquals([pmet!.configuration, chain!.configuration], ["PMET", "ACE chain"]);
  assertEquals([pmet!.columns.edit.mean, chain!.columns.edit.mean], [0, 0.5]);
  // Two cases of the first seed: chains of 3/3 and 1/3 right, then of none.
  const { mean, count, least, greatest } = chain!.columns.twoHopMean;
  assertEquals([mean, count, least, greatest], [1 / 3, 4, 1 / 3, 2 / 3]);
  assertEquals([chain!.columns.sameSubject.count, chain!.seeds, chain!.cases], [0, [0, 1], 3]);
});

Deno.test("summarizeDemo() adds sizes of splits, written layers and failures up", () => {
  const [pmet, chain] = summarizeDemo(ROWS);
  assertEquals([chain!.counts!.cases, chain!.counts!.supportHeads, pmet!.counts], [2, 12, null]);
  assertEquals([chain!.layers, pmet!.layers], [{ "7": 2, "6": 1 }, { "1, 2": 1 }]);
  assertEquals([chain!.failures, pmet!.failures], [{}, { "Cannot search": 1 }]);
});

Deno.test("summarizeDemo() takes the range of a column over the seeds in which anything counted", () => {
  const wrong = { ...answersOf(true), neighbours: [[false]] };
  const rows = [
    rowOf({ configuration: "ACE chain" }),
    rowOf({ configuration: "ACE chain", seed: 1, before: wrong }),
    rowOf({ configuration: "ACE chain", seed: 2, after: answersOf(false) }),
  ];
  const { mean, count, least, greatest } = summarizeDemo(rows)[0]!.columns.neighbours;
  assertEquals([mean, count, least, greatest], [1, 1, 0, 1]);
});

Deno.test("summarizeDemo() keeps models of one name apart, one model under two names together, and counts no row twice", () => {
  const rows = [
    rowOf({}),
    rowOf({ caseId: 2, model: "moved" }),
    rowOf({ caseId: 2, model: "moved" }),
    rowOf({ modelHash: "0123456789", model: "moved", after: answersOf(false) }),
  ];
  const found = summarizeDemo(rows).map(({ model, cases, columns }) => [model, cases, columns.edit.mean]);
  assertEquals(found, [["moved (hash)", 2, 1], ["moved (01234567)", 1, 0]]);
});

Deno.test("demoTable() has a block a model, a column a configuration, counts, and ranges over several seeds", () => {
  const lines = terminalTable(demoTable(summarizeDemo(ROWS)), { color: false }).split("\n");
  assertEquals(lines.length, 2 + 11);
  const cells = (line: string): string[] => line.trim().split(/ {2,}/);
  assertEquals(cells(lines[0]!), ["model", "column", "count", "PMET", "ACE chain"]);
  assertEquals(cells(lines[2]!), ["model", "edit", "1 prompt", "0.000", "0.500 [0.500, 1.000]"]);
  assertEquals(cells(lines[11]!), ["same subject", "0 prompts", "-", "-"]);
});

Deno.test("demoNotes() tells layers, sizes and failures", () => {
  assertEquals(demoNotes(summarizeDemo(ROWS)), [
    "model, PMET: 1 edits, seeds 0; layers 1, 2 (1)",
    "model, PMET: 1 failed: Cannot search",
    "model, ACE chain: 3 edits, seeds 0, 1; layers 6 (1); 7 (2)",
    "model, ACE chain: support through 12 heads; preserved 40 subjects and 38 chains; judged 8 chains through other heads",
  ]);
});

Deno.test("DEMO_ROW_SCHEMA takes a row that went through JSON and refuses one without its answers", () => {
  const row = rowOf({ counts: COUNTS });
  assertEquals(DEMO_ROW_SCHEMA.parse(JSON.parse(JSON.stringify(row))), row);
  assertEquals(DEMO_ROW_SCHEMA.safeParse({ ...row, after: {} }).success, false);
});

Deno.test("demoKey() differs by everything that makes other work, and by nothing else", () => {
  const row = rowOf({});
  const others = [{ modelHash: "x" }, { configuration: "x" }, { settings: "x" }, { seed: 1 }, { caseId: 2 }];
  const keys = [row, ...others.map((change) => rowOf(change))].map(demoKey);
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(demoKey(rowOf({ failure: "x", after: answersOf(false) })), demoKey(row));
});
