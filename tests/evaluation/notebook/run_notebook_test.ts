import { dirname } from "node:path";
import { assert, assertEquals, assertLess, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KernelClient, KernelError } from "../../../src/evaluation/notebook/kernel_client.ts";
import { runNotebook } from "../../../src/evaluation/notebook/run_notebook.ts";
import { withNotebook } from "./sample_notebook.ts";

const DISPLAY = new URL("../../../src/display/mod.ts", import.meta.url).href;

/** What a session with a log, displays, an expression and an error gives. */
const CELLS = [
  "console.log('one');\nconsole.error('two');\nconsole.log('three');",
  "const bundle = (text: string) => ({ 'text/plain': text });\n" +
  "await Deno.jupyter.display(bundle('first'), { raw: true, display_id: 'bar' });",
  "await Deno.jupyter.display(bundle('second'), { raw: true, display_id: 'bar', update: true });\n21 * 2",
  "console.log('gone');\nawait Deno.jupyter.broadcast('clear_output', { wait: false });\nconsole.log('kept');",
  { source: "throw new RangeError('meant to be');", tags: ["raises-exception"] },
  "Deno.cwd()",
];

Deno.test("runNotebook() collects logs, displays and their updates, values and errors", () =>
  withNotebook(CELLS, async (path) => {
    const seen: string[] = [];
    const { notebook, failure } = await runNotebook(path, {
      onCell: (number, total) => seen.push(`${number}/${total}`),
    });
    assertEquals(failure, undefined);
    assertEquals(seen, ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"]);
    const [log, display, value, cleared, error, cwd] = notebook.cells.map(({ outputs }) => outputs);
    assertEquals(log.map((output) => "name" in output && [output.name, output.text]), [
      ["stdout", "one\n"],
      ["stderr", "two\n"],
      ["stdout", "three\n"],
    ]);
    assertEquals(display, [{ output_type: "display_data", data: { "text/plain": "second" }, metadata: {} }]);
    assertEquals(value, [
      { output_type: "execute_result", data: { "text/plain": "42" }, metadata: {}, execution_count: 3 },
    ]);
    assertEquals(cleared, [{ output_type: "stream", name: "stdout", text: "kept\n" }]);
    const [raised] = error;
    assert(raised.output_type === "error");
    assertEquals([raised.ename, raised.evalue], ["RangeError", "meant to be"]);
    const [folder] = cwd;
    assert(folder.output_type === "execute_result");
    assertEquals(folder.data["text/plain"], JSON.stringify(await Deno.realPath(dirname(path))));
    assertEquals(notebook.cells.map(({ executionCount }) => executionCount), [1, 2, 3, 4, 5, 6]);
  }));

Deno.test("runNotebook() stops at the first error and keeps the outputs before it", () =>
  withNotebook(["1", "throw new Error('boom');", "2"], async (path) => {
    const { notebook, failure } = await runNotebook(path);
    assertEquals(failure, { cell: 2, message: "Error: boom" });
    assertEquals(notebook.cells.map(({ outputs }) => outputs.length), [1, 1, 0]);
  }));

Deno.test("runNotebook() reports a cell that was meant to fail and did not", () =>
  withNotebook([{ source: "1", tags: ["raises-exception"] }, "2"], async (path) => {
    const { failure } = await runNotebook(path);
    assertEquals(failure?.cell, 1);
    assertStringIncludes(failure?.message ?? "", "the cell ran without one");
  }));

Deno.test("runNotebook() ends a cell that runs past its limit", () =>
  withNotebook(["while (true) {}"], async (path) => {
    const start = performance.now();
    const error = await assertRejects(() => runNotebook(path, { cellLimitMs: 500 }), KernelError);
    assertEquals(
      error.message,
      "Cannot run the cell: it took longer than 0.5 s; make it shorter or raise the time limit",
    );
    assertLess(performance.now() - start, 20_000);
  }));

Deno.test("runNotebook() says so when the kernel dies", () =>
  withNotebook(["Deno.exit(3)"], async (path) => {
    const error = await assertRejects(() => runNotebook(path), KernelError);
    assertMatch(error.message, /^Cannot go on: /);
  }));

Deno.test("runNotebook() stops between cells when it is aborted", () =>
  withNotebook(["1", "2"], async (path) => {
    const controller = new AbortController();
    const stopped = runNotebook(path, { signal: controller.signal, onCell: () => controller.abort() });
    const error = await assertRejects(() => stopped, DOMException);
    assertEquals(error.name, "AbortError");
  }));

Deno.test("runNotebook() hands the environment to the kernel", () =>
  withNotebook(["Deno.env.get('NOTEBOOK_MODEL') + Deno.env.get('NO_COLOR')"], async (path) => {
    const { notebook } = await runNotebook(path, { env: { NOTEBOOK_MODEL: "tiny" } });
    const [output] = notebook.cells[0].outputs;
    assert(output.output_type === "execute_result");
    assertEquals(output.data["text/plain"], '"tiny1"');
  }));

Deno.test("KernelClient loses none of 40 one-line outputs", async () => {
  await using kernel = await KernelClient.start({ cwd: Deno.cwd() });
  for (let cell = 0; cell < 40; cell++) {
    const { outputs } = await kernel.execute(`console.log("log ${cell}"); ${cell}`, 10_000);
    assertEquals(
      outputs.map((output) => ("text" in output ? output.text : "data" in output && output.data["text/plain"])),
      [
        `log ${cell}\n`,
        String(cell),
      ],
    );
  }
});

Deno.test("show() and Progress display figures, tables and a bar in a real kernel", async () => {
  const cells = [
    `import { contributionFigure, Progress, show } from ${JSON.stringify(DISPLAY)};`,
    `await show(contributionFigure({ prompt: "p", target: " t", value: [{ layer: 0, attention: 1, mlp: -2 }] }));`,
    `await show({ columns: [{ header: "a" }], rows: [["1"]] });`,
    `const progress = new Progress("Work", 2); progress.update(1); progress.finish("done");\n` +
    `await new Promise((resolve) => setTimeout(resolve, 15));`,
  ];
  await using kernel = await KernelClient.start({ cwd: Deno.cwd() });
  const results = [];
  for (const cell of cells) results.push(await kernel.execute(cell, 60_000));
  const data = results.map(({ outputs }) => outputs.map((output) => ("data" in output ? output.data : output)));
  assertEquals(data[0], []);
  assertEquals(Object.keys(data[1][0]).sort(), [
    "application/vnd.plotly.v1+json",
    "image/svg+xml",
    "text/plain",
  ]);
  assertEquals(data[2], [{ "text/markdown": "| a |\n| --- |\n| 1 |", "text/plain": "a\n\u2500\n1" }]);
  assertEquals(data[3], [{ "text/plain": "Work: done" }]);
});
