import { assertEquals } from "@std/assert";
import { filesWithExamples, remoteImports } from "../../scripts/check_docs.ts";

const doc = (fence: string): string => ["/**", " * Adds.", ` * ${fence}`, " * add(1, 2);", " * ```", " */"].join("\n");

Deno.test("filesWithExamples() lists files with TypeScript to run", () => {
  const files = [
    { path: "src/a.ts", text: doc("```ts") },
    { path: "src/b.ts", text: doc("```wgsl") },
    { path: "src/c.ts", text: doc("```ts ignore") },
    { path: "README.md", text: "# A\n\n```ts\nadd(1, 2);\n```\n" },
  ];
  assertEquals(filesWithExamples(files), ["src/a.ts", "README.md"]);
});

Deno.test("remoteImports() lists what the import map does not know", () => {
  const known = new Set(["zod", "@std/assert"]);
  const importOf = (name: string) => ({ path: "src/a.ts", text: `/**\n * import { a } from "${name}";\n */` });
  for (const name of ["zod", "zod/mini", "@std/assert", "node:path", "ace-webgpu", "../mod.ts"]) {
    assertEquals(remoteImports(importOf(name), known), []);
  }
  for (const name of ["https://example.org/a.ts", "npm:zod", "zodiac"]) {
    assertEquals(remoteImports(importOf(name), known), [
      `src/a.ts: imports ${name}, which is not in deno.json's import map`,
    ]);
  }
});
