import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withFolder } from "../checkpoint/files.ts";
import { call, namesIn } from "./commands.ts";

const EDIT = [
  ...["--prompt", "The capital of {} is", "--subject", "France", "--target", "Berlin"],
  ...["--facts", "fixtures/world/world.json"],
];
const ATTRIBUTE = ["--prompt", "The capital of France is", "--top", "2000"];

/** A call, and what it says was kept. */
const CALLS: [string, string[], string][] = [
  // The model may be loaded by then, or not: what was answered stands above, or nothing was.
  ["ask", ["The capital of France is"], "\nStopped; no"],
  ["ask", ["--top", "5", "The capital of France is"], "Stopped; nothing was written"],
  ["attribute", ATTRIBUTE, "Stopped; nothing was written"],
  ["edit", [...EDIT, "--dry-run"], "Stopped; nothing was written"],
  ["edit", [...EDIT, "--mode", "paper"], "Stopped; nothing was written"],
  ["edit", [...EDIT, "--method", "memit"], "Stopped; nothing was written"],
  ["edit", ["--estimate", "--model", "fixtures/configs/qwen3-8b"], "Stopped; nothing was written"],
];

for (const [name, args, kept] of CALLS) {
  Deno.test(`${[name, ...args].join(" ")} stopped by Ctrl-C exits with 130 and writes no result`, async () => {
    await withFolder(async (folder) => {
      // The folder of --out is made before the work begins.
      const started = async (): Promise<boolean> => (await namesIn(folder)).includes("results");
      const { code, stdout, stderr } = await call(name, [...args, "--out", `${folder}/results/found.json`], started);
      assertEquals([code, stdout], [130, ""], stderr);
      assertStringIncludes(stderr, "Stopping at the next step");
      assertStringIncludes(stderr, kept);
      assertEquals(await namesIn(`${folder}/results`), []);
    });
  });
}

Deno.test("demo stopped by Ctrl-C exits with 130 and writes no report", async () => {
  await withFolder(async (folder) => {
    const out = `${folder}/demo`;
    const started = async (): Promise<boolean> => (await namesIn(folder)).includes("demo");
    const { code, stderr } = await call("demo", ["--out", out], started);
    assertEquals(code, 130, stderr);
    assertStringIncludes(stderr, `Second moments counted so far are kept in ${out}/moments`);
    assert(!(await namesIn(out)).includes("report.html"));
  });
});
