import { assertEquals } from "@std/assert";
import { type CellOutput } from "../../../src/evaluation/notebook/cell_outputs.ts";
import { agree, compareOutputs } from "../../../src/evaluation/notebook/compare_outputs.ts";
import { type Notebook } from "../../../src/evaluation/notebook/notebook_file.ts";

function notebook(...outputs: CellOutput[]): Notebook {
  return { path: "n.ipynb", cells: [{ id: "a", type: "code", source: "", tags: [], executionCount: 1, outputs }] };
}

function display(data: Record<string, unknown>): CellOutput {
  return { output_type: "display_data", data, metadata: {} };
}

Deno.test("agree() passes over times, adapters, ids and digits past the fourth", () => {
  const pairs: [unknown, unknown][] = [
    ["done in 2.1 s", "done in 1 min 03 s"],
    ["took 12 ms, then 4s", "took 130 ms, then 12s"],
    ["Adapter: llvmpipe (LLVM 15.0.6, 256 bits)", "Adapter: NVIDIA H100 80GB"],
    ["at 2026-01-02T03:04:05Z", "at 2027-11-12T13:14:15Z"],
    ["p = 0.123451", "p = 0.123399"],
    [{ y: [1.00001, 2] }, { y: [1.00002, 2] }],
    ["a\r\nb", "a\nb"],
    [-1e-9, -1.0002e-9],
  ];
  for (const [found, wanted] of pairs) assertEquals(agree(found, wanted), true, `${found} and ${wanted}`);
});

Deno.test("agree() sees words, counts, the fourth digit, signs and missing parts", () => {
  const pairs: [unknown, unknown][] = [
    [" Paris", " Berlin"],
    ["12 of 12", "11 of 12"],
    ["layer 1000001", "layer 1000002"],
    ["p = 0.1234", "p = 0.1236"],
    ["p = 0.5", "p = -0.5"],
    [{ y: [1, 2] }, { y: [1, 2, 3] }],
    [{ a: 1 }, { b: 1 }],
    [[1], { 0: 1 }],
    [undefined, "x"],
    [null, {}],
    ["0.5", 0.5],
  ];
  for (const [found, wanted] of pairs) assertEquals(agree(found, wanted), false, `${found} and ${wanted}`);
});

Deno.test("compareOutputs() names cell, output and kind of each difference", () => {
  const run = notebook(
    { output_type: "stream", name: "stdout", text: "a" },
    display({ "text/plain": "x", "text/html": "y" }),
  );
  const kept = notebook({ output_type: "stream", name: "stdout", text: "b" }, display({ "text/plain": "x" }));
  assertEquals(compareOutputs(run, kept), [
    'cell 1, output 1, stdout: found "a", wanted "b"',
    'cell 1, output 2, text/html: found "y", wanted nothing',
  ]);
  assertEquals(compareOutputs(run, run), []);
});

Deno.test("compareOutputs() compares errors by name and message, and figures by their document", () => {
  const error = (traceback: string[]): CellOutput => ({ output_type: "error", ename: "E", evalue: "m", traceback });
  assertEquals(compareOutputs(notebook(error(["here"])), notebook(error(["there"]))), []);
  const plotly = "application/vnd.plotly.v1+json";
  const figure = (y: number, svg: string): CellOutput => display({ [plotly]: { y: [y] }, "image/svg+xml": svg });
  assertEquals(compareOutputs(notebook(figure(1, "<svg/>")), notebook(figure(1, "<svg></svg>"))), []);
  assertEquals(compareOutputs(notebook(figure(1, "<svg/>")), notebook(figure(2, "<svg/>"))).length, 1);
});

Deno.test("compareOutputs() counts cells and outputs first", () => {
  const empty: Notebook = { path: "n.ipynb", cells: [] };
  assertEquals(compareOutputs(notebook(), empty), ["found 1 cells, wanted 0"]);
  assertEquals(compareOutputs(notebook(display({})), notebook()), ["cell 1: found 1 outputs, wanted 0"]);
});
