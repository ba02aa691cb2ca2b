import { assertEquals, assertStringIncludes } from "@std/assert";
import { ALLOWED, checkBytes, checkLines } from "../../scripts/check_sizes.ts";

const lines = (count: number): string => "x\n".repeat(count);

Deno.test("checkLines() refuses the first line past the limit of a kind", () => {
  for (const [path, limit] of [["src/gpu/gpu.ts", 300], ["kernels/add.wgsl", 150]] as const) {
    assertEquals(checkLines([{ path, text: lines(limit) }], {}), []);
    assertEquals(checkLines([{ path, text: lines(limit).trimEnd() }], {}), []);
    const [finding] = checkLines([{ path, text: lines(limit + 1) }], {});
    assertEquals(finding, `${path}: ${limit + 1} lines, at most ${limit} are allowed: split it by concept`);
  }
});

Deno.test("checkLines() honours an allowance and refuses one that is not needed", () => {
  const allowed = { "src/model/forward.ts": "one page of maths" };
  assertEquals(checkLines([{ path: "src/model/forward.ts", text: lines(301) }], allowed), []);
  assertStringIncludes(checkLines([{ path: "src/model/forward.ts", text: lines(10) }], allowed)[0]!, "remove it");
});

Deno.test("checkLines() refuses a long code cell and lets long text be", () => {
  const cells = [
    { cell_type: "markdown", source: lines(60) },
    { cell_type: "code", source: Array<string>(25).fill("a;\n") },
    { cell_type: "code", source: Array<string>(26).fill("a;\n") },
  ];
  const findings = checkLines([{ path: "notebooks/01.ipynb", text: JSON.stringify({ cells }) }], {});
  assertEquals(findings.length, 1);
  assertStringIncludes(findings[0]!, "cell 3 has 26 lines");
});

Deno.test("checkBytes() refuses large files unless they are allowed", () => {
  const files = [{ path: "a.bin", byteLength: 2_000_000 }, { path: "b.bin", byteLength: 2_000_001 }];
  assertEquals(checkBytes(files, {}), ["b.bin: 2000001 bytes, at most 2000000 are allowed in the repository"]);
  assertEquals(checkBytes(files, { "b.bin": "weights" }), []);
});

Deno.test("every allowance names a file and a reason", () => {
  for (const [path, reason] of Object.entries(ALLOWED)) {
    assertEquals(Deno.statSync(`${import.meta.dirname}/../../${path}`).isFile, true);
    assertEquals(reason.length > 10, true);
  }
});
