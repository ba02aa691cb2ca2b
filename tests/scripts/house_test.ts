import { assert, assertEquals, assertGreater } from "@std/assert";
import { filesWithExamples, readDocs } from "../../scripts/check_docs.ts";
import { checkImports, readBoundFiles } from "../../scripts/check_imports.ts";
import { checkBytes, checkLines, listSizes, readCountedFiles } from "../../scripts/check_sizes.ts";
import { lintKernels, readKernelFiles } from "../../scripts/lint_kernels.ts";

Deno.test("the house keeps its import rules", () => {
  const files = readBoundFiles();
  for (const folder of ["src/gpu/", "kernels/", "scripts/", "notebooks/"]) {
    assert(files.some(({ path }) => path.startsWith(folder)), folder);
  }
  assertEquals(checkImports(files), []);
});

Deno.test("the house keeps its files short and small", () => {
  const files = readCountedFiles();
  const sizes = listSizes();
  assert(files.length > 400 && sizes.length > files.length);
  assertEquals([...checkLines(files), ...checkBytes(sizes)], []);
});

Deno.test("every kernel of the house has its header, wrapper, twin and test", () => {
  const files = readKernelFiles();
  assertGreater(files.filter(({ path }) => path.endsWith(".wgsl")).length, 50);
  assertEquals(lintKernels(files), []);
});

Deno.test("the README and the docs have examples, which import only what the import map knows", () => {
  const { files, findings } = readDocs();
  assertEquals(findings, []);
  const examples = filesWithExamples(files);
  for (const path of ["README.md", "mod.ts"]) assert(examples.includes(path), path);
});
