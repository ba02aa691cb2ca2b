import { join } from "node:path";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readNotebook } from "../../src/evaluation/notebook/notebook_file.ts";
import { withNotebook } from "../evaluation/notebook/sample_notebook.ts";

const SCRIPT = new URL("../../scripts/notebooks.ts", import.meta.url).pathname;

/** Runs the command and hands back its exit code and what it printed. */
async function notebooks(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("notebooks writes outputs back, and --check then finds them again", () =>
  withNotebook(["console.log('in 1.5 s');\n6 * 7"], async (path) => {
    assertEquals(await notebooks(path), { code: 0, out: `ok ${path}\n`, err: "" });
    const written = await Deno.readTextFile(path);
    assertEquals((await readNotebook(path)).cells[0].outputs.length, 2);
    await Deno.writeTextFile(path, written.replace("1.5 s", "9.9 s"));
    assertEquals((await notebooks("--check", path)).code, 0);
    await Deno.writeTextFile(path, written.replace('"42"', '"43"'));
    const { code, out, err } = await notebooks("--check", path);
    assertEquals(code, 1);
    assertStringIncludes(out, 'cell 1, output 2, text/plain: found "42", wanted "43"');
    assertEquals(err, "error: 1 of 1 notebooks failed; see the lines above\n");
    assertStringIncludes(await Deno.readTextFile(path), '"43"');
  }));

Deno.test("notebooks names the cell that fails, and goes on with the next notebook", () =>
  withNotebook(["1", "null.x"], (bad) =>
    withNotebook(["while (true) {}"], async (slow) => {
      const out = join(bad, "..", "out");
      const { code, out: text } = await notebooks("--json", "--time-limit", "1", "--out", out, bad, slow);
      assertEquals(code, 1);
      const results = JSON.parse(text) as { problems: string[] }[];
      assertMatch(results[0].problems[0], /^cell 2: TypeError: /);
      assertMatch(results[1].problems[0], /^Cannot run the cell: it took longer than 1 s/);
      assertEquals((await readNotebook(join(out, "sample.ipynb"))).cells[1].outputs.length, 1);
      assertEquals((await readNotebook(bad)).cells[0].outputs, []);
    })));

Deno.test("notebooks --export complains of a type that the kernel would pass over", () =>
  withNotebook(["const n: number = 'x';"], async (path) => {
    const { code, out } = await notebooks("--export", join(path, "..", "out"), path);
    assertEquals(code, 1);
    assertStringIncludes(out, "TS2322");
  }));

Deno.test("notebooks refuses a wrong call with exit code 2", async () => {
  const { code, err } = await notebooks("--check", "--export", "out", "a.ipynb");
  assertEquals(code, 2);
  assertStringIncludes(err, "Cannot use --check with --export: choose one");
});
