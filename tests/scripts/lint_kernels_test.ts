import { assertEquals, assertStringIncludes } from "@std/assert";
import { lintKernels } from "../../scripts/lint_kernels.ts";

const SHADER = `// scale: y = factor * x, one thread an element.
//
// shapes    x [length] -> y [length]
// types     f32 in, f32 out
// grid      length / WG workgroups
// override  WG = 64 (power of two)
// memory    reads x once, writes y once
// numerics  one rounding
// twin      tests/reference/scale.ts

override WG: u32 = 64;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  x[id.x] = 2.0 * x[id.x]; // @compute in a comment is none
}
`;

const HOUSE = [
  { path: "kernels/scale.ts", text: 'import source from "./scale.wgsl" with { type: "text" };' },
  { path: "tests/kernels/scale_test.ts", text: "" },
  { path: "tests/reference/scale.ts", text: "" },
];

/** Findings for a shader among the files of `house`. */
function lint(text: string, house = HOUSE, path = "kernels/scale.wgsl"): string[] {
  return lintKernels([...house, { path, text }]);
}

Deno.test("lintKernels() accepts a kernel with wrapper, header, twin and test", () => {
  assertEquals(lint(SHADER), []);
});

const BROKEN: [string, string, string][] = [
  ["a first line without the kernel's name", SHADER.replace("// scale:", "// Scales:"), 'must be "// scale: "'],
  ["no line on shapes", SHADER.replace("// shapes", "// sizes"), 'no line "// shapes ..."'],
  ["no line on numerics", SHADER.replace(/\/\/ numerics.*\n/, ""), 'no line "// numerics ..."'],
  ["a twin that is no path", SHADER.replace("tests/reference/scale.ts", "none"), "the twin must be a path"],
  ["a twin that does not exist", SHADER.replace("reference/scale", "reference/shift"), "shift.ts does not exist"],
  ["two entry points", `${SHADER}@compute @workgroup_size(1) fn other() {}\n`, "one @compute entry point, found 2"],
  ["no entry point", SHADER.replace("@compute @workgroup_size(WG)", ""), "one @compute entry point, found 0"],
  [
    "the directive for subgroups",
    SHADER.replace("override WG", "enable f16, subgroups;\noverride WG"),
    "remove `enable",
  ],
  [
    "a long line",
    SHADER.replace("override WG", `const LONG = ${"1 + ".repeat(40)}1;\noverride WG`),
    "line 11 is longer",
  ],
];

for (const [what, text, message] of BROKEN) {
  Deno.test(`lintKernels() refuses ${what}`, () => {
    const findings = lint(text);
    assertEquals(findings.length, 1, findings.join("\n"));
    assertStringIncludes(findings[0]!, "kernels/scale.wgsl: ");
    assertStringIncludes(findings[0]!, message);
  });
}

Deno.test("lintKernels() refuses a shader without a wrapper or without a test", () => {
  for (const missing of ["kernels/scale.ts", "tests/kernels/scale_test.ts"]) {
    const findings = lint(SHADER, HOUSE.filter(({ path }) => path !== missing));
    assertEquals(findings.length, 1);
    assertStringIncludes(findings[0]!, missing);
  }
});

Deno.test("lintKernels() accepts a variant that its operation's wrapper imports and a test names", () => {
  const text = SHADER.replace("// scale:", "// scale_vec4:");
  const wrapper = { path: "kernels/scale.ts", text: 'import source from "./scale_vec4.wgsl" with { type: "text" };' };
  const test = { path: "tests/kernels/scale_test.ts", text: 'Deno.test("scale_vec4 agrees", () => {});' };
  const path = "kernels/scale_vec4.wgsl";
  assertEquals(lint(text, [wrapper, test, HOUSE[2]!], path), []);
  const byFunction = { path: test.path, text: "scaleVec4(stream, { x });" };
  assertEquals(lint(text, [wrapper, byFunction, HOUSE[2]!], path), []);
  assertEquals(lint(text, HOUSE, path).length, 2);
});

const SHARED = `// double: twice a number.
//
// needs     nothing

fn double(x: f32) -> f32 { return x + x; }
`;

/** Findings for a file of shared functions that the shaders `callers` name. */
function lintShared(text: string, callers: readonly string[]): string[] {
  const shaders = callers.map((name) => ({
    path: `kernels/shared/${name}.wgsl`,
    text: `// ${name}: something.\n//\n// needs     nothing\n// calls     double\n`,
  }));
  return lintKernels([...HOUSE, { path: "kernels/shared/double.wgsl", text }, ...shaders])
    .filter((finding) => finding.startsWith("kernels/shared/double.wgsl: "));
}

Deno.test("lintKernels() accepts shared functions that two shaders call", () => {
  assertEquals(lintShared(SHARED, ["one", "two"]), []);
});

const BROKEN_SHARED: [string, string, readonly string[], string][] = [
  ["a first line without their name", SHARED.replace("// double:", "// Double:"), ["one", "two"], '"// double: "'],
  ["no line on what they need", SHARED.replace("// needs", "// wants"), ["one", "two"], 'no line "// needs ..."'],
  ["an entry point", `${SHARED}@compute @workgroup_size(1) fn main() {}\n`, ["one", "two"], "no entry point, found 1"],
  ["a single caller", SHARED, ["one"], "1 shaders call it"],
];

for (const [what, text, callers, message] of BROKEN_SHARED) {
  Deno.test(`lintKernels() refuses shared functions with ${what}`, () => {
    const findings = lintShared(text, callers);
    assertEquals(findings.length, 1);
    assertStringIncludes(findings[0]!, message);
  });
}

Deno.test("lintKernels() refuses a call of shared functions that do not exist", () => {
  const findings = lint(SHADER.replace("// twin", "// calls     triple\n// twin"));
  assertEquals(findings, ["kernels/scale.wgsl: it calls triple, which is not in kernels/shared"]);
});
