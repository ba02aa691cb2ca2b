import { join } from "node:path";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { exportAndCheck, exportCells } from "../../../src/evaluation/notebook/export_cells.ts";
import { type Notebook, readNotebook } from "../../../src/evaluation/notebook/notebook_file.ts";
import { withNotebook } from "./sample_notebook.ts";

function notebook(...sources: string[]): Notebook {
  const cells = sources.map((source, index) => ({
    id: `c${index}`,
    type: "code" as const,
    source,
    tags: [],
    executionCount: null,
    outputs: [],
  }));
  return { path: "/home/notebooks/01.ipynb", cells };
}

Deno.test("exportCells() puts each import once at the top and rewrites relative ones", () => {
  const text = exportCells(
    notebook(
      'import { a } from "../mod.ts";\nimport x from "npm:x";\nconst one = a;',
      'import {\n  a,\n  b,\n} from "../mod.ts";\nimport x from "npm:x";\nb(one, x);\nawait import("./more.ts");',
      "// a note",
    ),
    "/home/out/deep",
  );
  assertEquals(
    text,
    `import { a, b } from "../../mod.ts";
import x from "npm:x";

// cell 1
const one = a;

// cell 2
b(one, x);
await import("../../notebooks/more.ts");

// cell 3
// a note

export {};
`,
  );
});

Deno.test("exportAndCheck() accepts cells with right types and complains of wrong ones", () =>
  withNotebook(["const n: number = 1;", "await Promise.resolve(n);\nn.toFixed(2);"], async (path) => {
    const folder = join(path, "..", "out");
    const { complaint, path: module } = await exportAndCheck(await readNotebook(path), folder);
    assertEquals(complaint, undefined);
    assertEquals(module, join(folder, "sample.ts"));
    const { cells } = await readNotebook(path);
    const wrong = { path, cells: [{ ...cells[0], source: "const n: number = 'x';" }] };
    assertStringIncludes((await exportAndCheck(wrong, folder)).complaint ?? "", "TS2322");
  }));
