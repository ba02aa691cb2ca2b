import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { compareOutputs } from "../../src/evaluation/notebook/compare_outputs.ts";
import type { JsonObject } from "../../src/evaluation/notebook/jupyter_message.ts";
import { readNotebook } from "../../src/evaluation/notebook/notebook_file.ts";
import { runNotebook } from "../../src/evaluation/notebook/run_notebook.ts";

const FOLDER = new URL("../../notebooks/", import.meta.url);
const PLOTLY = "application/vnd.plotly.v1+json";

for await (const { name } of Deno.readDir(FOLDER)) {
  if (!name.endsWith(".ipynb")) continue;
  const path = new URL(name, FOLDER).pathname;

  Deno.test(`notebook ${name} runs to its end and gives the outputs that are kept in it`, async () => {
    const kept = await readNotebook(path);
    const { notebook, failure } = await runNotebook(path, { cellLimitMs: 120_000 });
    assertEquals(failure, undefined);
    assertEquals(compareOutputs(notebook, kept), []);
  });

  Deno.test(`notebook ${name} shows every figure as Plotly JSON, SVG and text`, async () => {
    const figures = (await shownIn(path)).filter((data) => PLOTLY in data || "image/svg+xml" in data);
    assertGreater(figures.length, 0);
    for (const data of figures) {
      assertEquals(Object.keys(data).sort(), [PLOTLY, "image/svg+xml", "text/plain"]);
      assertStringIncludes(textOf(data["image/svg+xml"]), "</svg>");
    }
  });
}

Deno.test("notebook 01_edit_a_fact.ipynb tells the story of the demo's report in figures and tables", async () => {
  const shown = await shownIn(new URL("01_edit_a_fact.ipynb", FOLDER).pathname);
  const titles = shown.flatMap((data) => PLOTLY in data ? [textOf(data["text/plain"]).split("\n")[0]] : []);
  assertEquals(titles, [
    'What each layer adds to "Paris"',
    'Neurons that tell "Paris" from other answers',
    "The layers that the edit uses",
    "Answers before and after the edit",
  ]);
  const tables = shown.flatMap((data) => "text/markdown" in data ? [textOf(data["text/markdown"]).split("\n")[0]] : []);
  assertEquals(tables, [
    "| # | neuron | score (nats) | tokens it promotes |",
    "| kind | prompt | before | after | as wanted |",
  ]);
});

/** Everything that the cells of a notebook display, by MIME type. */
async function shownIn(path: string): Promise<JsonObject[]> {
  const { cells } = await readNotebook(path);
  return cells.flatMap(({ outputs }) =>
    outputs.flatMap((output) => "data" in output ? [output.data as JsonObject] : [])
  );
}

/** Text that a notebook keeps whole or as its lines. */
function textOf(value: unknown): string {
  return [value].flat().join("");
}
