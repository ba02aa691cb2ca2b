import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkImports } from "../../scripts/check_imports.ts";
import { importsOf } from "../../scripts/imports.ts";

/** Findings for one file of `text` at `path`. */
function findingsOf(path: string, text: string): string[] {
  return checkImports([{ path, text }]);
}

Deno.test("importsOf() reads every form of import and says which bring only types", () => {
  const text = [
    'import { a, type B } from "./a.ts";',
    "import {",
    "  type C,",
    "  type D,",
    '} from "../c.ts";',
    'import type { E } from "zod";',
    'export * from "./e.ts";',
    'import "./effect.ts";',
    'import * as f from "./f.ts";',
    'export const g = await import("./g.ts");',
    'import shader from "./h.wgsl" with { type: "text" };',
  ].join("\n");
  const found = importsOf({ path: "src/gpu/x.ts", text }).map(({ line, target, specifier, typeOnly }) =>
    `${line} ${target ?? specifier}${typeOnly ? " types" : ""}`
  );
  assertEquals(found, [
    "1 src/gpu/a.ts",
    "2 src/c.ts types",
    "6 zod types",
    "7 src/gpu/e.ts",
    "8 src/gpu/effect.ts",
    "9 src/gpu/f.ts",
    "10 src/gpu/g.ts",
    "11 src/gpu/h.wgsl",
  ]);
});

Deno.test("importsOf() passes over comments and examples", () => {
  const text = [
    "/**",
    ' * import { a } from "./a.ts";',
    ' * const b = await import("./b.ts");',
    " */",
    '// import { c } from "./c.ts";',
    'export const from = "x";',
  ].join("\n");
  assertEquals(importsOf({ path: "src/gpu/x.ts", text }), []);
});

Deno.test("importsOf() reads the code cells of a notebook", () => {
  const notebook = {
    cells: [
      { cell_type: "markdown", source: 'import "./no.ts"' },
      { cell_type: "code", source: ['import { edit } from "../mod.ts";\n', "edit;"] },
    ],
  };
  const [only, ...rest] = importsOf({ path: "notebooks/01.ipynb", text: JSON.stringify(notebook) });
  assertEquals([only?.target, rest.length], ["mod.ts", 0]);
});

Deno.test("checkImports() names the offending import and the rule when a layer imports upward", () => {
  const [finding, ...rest] = findingsOf("src/gpu/tensor.ts", '\nimport { a } from "../model/forward.ts";');
  assertEquals(rest, []);
  assertStringIncludes(
    finding!,
    "src/gpu/tensor.ts:2 imports src/model/forward.ts: gpu may import nothing of the project",
  );
  assertStringIncludes(finding!, "gpu <- kernels <- linalg <- model");
});

const ALLOWED: [string, string][] = [
  ["kernels/softmax.ts", "../src/gpu/stream.ts"],
  ["src/model/weights.ts", "../checkpoint/safetensors_reader.ts"],
  ["src/evaluation/runner.ts", "../gpu/gpu.ts"],
  ["src/evaluation/report.ts", "../display/figure.ts"],
  ["scripts/demo.ts", "../mod.ts"],
  ["scripts/bench.ts", "../tests/bench/suite.ts"],
  ["scripts/fuzz.ts", "../tests/fuzz/targets.ts"],
  ["mod.ts", "./src/editing/edit.ts"],
];
const FORBIDDEN: [string, string][] = [
  ["src/checkpoint/half.ts", "../gpu/tensor.ts"],
  ["src/attribution/plan.ts", "../editing/edit.ts"],
  ["src/evaluation/runner.ts", "../display/figure.ts"],
  ["src/display/figure.ts", "../attribution/plan.ts"],
  ["src/model/model.ts", "../../mod.ts"],
  ["src/model/model.ts", "../../tests/reference/model.ts"],
  ["src/gpu/pool.ts", "../../kernels/fill.wgsl"],
  ["src/extra/pool.ts", "../gpu/gpu.ts"],
  ["scripts/fuzz.ts", "../tests/bench/suite.ts"],
];

for (const [rows, count] of [[ALLOWED, 0], [FORBIDDEN, 1]] as const) {
  for (const [path, specifier] of rows) {
    Deno.test(`checkImports() ${count === 0 ? "allows" : "forbids"} ${path} to import ${specifier}`, () => {
      assertEquals(findingsOf(path, `import { a } from "${specifier}";`).length, count);
    });
  }
}

Deno.test("checkImports() lets display import types from below", () => {
  assertEquals(findingsOf("src/display/figure.ts", 'import type { LayerPlan } from "../attribution/plan.ts";'), []);
});

Deno.test("checkImports() keeps packages of tests and of the bench, and addresses, out of the library", () => {
  const packages = ["fast-check", "@std/assert", "@jax-js/jax", "npm:zod@4", "https://example.org/a.ts"];
  for (const name of packages) assertEquals(findingsOf("src/gpu/gpu.ts", `import a from "${name}";`).length, 1, name);
  assertEquals(findingsOf("scripts/bench.ts", 'import a from "@jax-js/jax";'), []);
  assertEquals(findingsOf("src/editing/facts.ts", 'import { z } from "zod";'), []);
});

Deno.test("checkImports() finds circles of values and not of types", () => {
  const file = (name: string, text: string) => ({ path: `src/gpu/${name}.ts`, text });
  const circle = [
    file("a", 'import { b } from "./b.ts";'),
    file("b", 'import { c } from "./c.ts";'),
    file("c", 'import { a } from "./a.ts";'),
  ];
  assertEquals(checkImports(circle), [
    "Import cycle: src/gpu/a.ts -> src/gpu/b.ts -> src/gpu/c.ts -> src/gpu/a.ts (rule: no cycles)",
  ]);
  circle[2] = file("c", 'import type { a } from "./a.ts";');
  assertEquals(checkImports(circle), []);
});

Deno.test("checkImports() refuses names that say nothing", () => {
  for (const path of ["src/gpu/utils.ts", "src/util/a.ts", "scripts/helpers.ts"]) {
    assertStringIncludes(findingsOf(path, "").join(), "rule: no utils");
  }
});
