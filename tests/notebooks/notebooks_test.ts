import { assert, assertEquals } from "@std/assert";
import { compareOutputs } from "../../src/evaluation/notebook/compare_outputs.ts";
import { readNotebook } from "../../src/evaluation/notebook/notebook_file.ts";
import { runNotebook } from "../../src/evaluation/notebook/run_notebook.ts";

const FOLDER = new URL("../../notebooks/", import.meta.url);

for await (const { name } of Deno.readDir(FOLDER)) {
  if (!name.endsWith(".ipynb")) continue;
  const path = new URL(name, FOLDER).pathname;

  Deno.test(`notebook ${name} runs to its end and gives the outputs that are kept in it`, async () => {
    const kept = await readNotebook(path);
    const { notebook, failure } = await runNotebook(path, { cellLimitMs: 120_000 });
    assertEquals(failure, undefined);
    assertEquals(compareOutputs(notebook, kept), []);
  });

  Deno.test(`notebook ${name} shows a figure as Plotly JSON, SVG and text`, async () => {
    const { cells } = await readNotebook(path);
    const figures = JSON.stringify(cells);
    for (const type of ["application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"]) {
      assert(figures.includes(type));
    }
  });
}
