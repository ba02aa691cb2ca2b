import { assertEquals, assertStringIncludes } from "@std/assert";
import type { BenchResult } from "../bench/comparison.ts";

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/bench.ts", ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("bench --only submits --json counts one submit for a forward pass and one for a decoded token", async () => {
  const { code, out, err } = await bench("--only", "submits", "--json");
  assertEquals(code, 0, err);
  const { comparisons } = JSON.parse(out) as BenchResult;
  assertEquals(comparisons.map(({ bench, value }) => [bench, value]), [["submits", 1], ["submits", 1]]);
});

Deno.test("bench --help shows an example, and wrong calls exit with 2", async () => {
  const help = await bench("--help");
  assertEquals(help.code, 0);
  assertStringIncludes(help.out, "deno task bench --only matmul,search");
  const part = await bench("--only", "training");
  assertEquals(part.code, 2);
  assertStringIncludes(
    part.err,
    "Wanted matmul or matvec or rows or linalg or dispatch or submits or search or neurons or smollm2.",
  );
  const rounds = await bench("--rounds", "0");
  assertEquals(rounds.code, 2);
  assertStringIncludes(rounds.err, "Cannot measure in 0 rounds: give --rounds 1 or more");
});
