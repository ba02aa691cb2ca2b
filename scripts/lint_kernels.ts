/**
 * Checks that every kernel is a pair of shader and wrapper with a full header, one entry point, a twin and a test.
 *
 * @module
 */
import { callsOf } from "../kernels/link.ts";
import { importsOf } from "./imports.ts";
import { readFiles, reportFindings, type SourceFile } from "./source_files.ts";

const HEADER_ENTRIES = ["shapes", "types", "grid", "override", "memory", "numerics", "twin"];
const LONGEST_LINE = 120;

/** Shared functions of a path, or null for a kernel: `kernels/shared/decode.wgsl` is "decode". */
function sharedName(path: string): string | null {
  return path.match(/^kernels\/shared\/(\w+)\.wgsl$/)?.[1] ?? null;
}

/** The lines of comment that a shader starts with. */
function headerOf(text: string): string[] {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end < 0 ? lines.length : end);
}

function headerFindings(name: string, header: readonly string[], paths: ReadonlySet<string>): string[] {
  const findings: string[] = [];
  if (!new RegExp(`^// ${name}: \\S`).test(header[0] ?? "")) {
    findings.push(`the first line must be "// ${name}: " and what it computes, found "${header[0] ?? ""}"`);
  }
  for (const entry of HEADER_ENTRIES) {
    const line = header.find((text) => text.startsWith(`// ${entry} `));
    if (line === undefined) {
      findings.push(`the header has no line "// ${entry} ...": write it after the definition`);
    } else if (entry === "twin") {
      const twins = line.match(/tests\/\S+\.ts/g) ?? [];
      if (twins.length === 0) findings.push(`the twin must be a path as tests/reference/${name}.ts, found "${line}"`);
      for (const twin of twins) if (!paths.has(twin)) findings.push(`its twin ${twin} does not exist`);
    }
  }
  return findings;
}

function codeFindings(text: string, wantedEntries: 0 | 1): string[] {
  const code = text.replace(/\/\/.*$/gm, "");
  const findings: string[] = [];
  const entries = code.match(/@compute\b/g)?.length ?? 0;
  if (entries !== wantedEntries) {
    const rule = wantedEntries === 1 ? "a kernel has one @compute entry point" : "shared functions have no entry point";
    findings.push(`${rule}, found ${entries}`);
  }
  // The device is asked for subgroups by name; Deno's compiler rejects the directive.
  if (/^\s*enable\s+[^;]*subgroups/m.test(code)) findings.push("remove `enable subgroups`: Deno's compiler rejects it");
  const long = text.split("\n").findIndex((line) => line.length > LONGEST_LINE);
  if (long >= 0) findings.push(`line ${long + 1} is longer than ${LONGEST_LINE} characters`);
  return findings;
}

/** Says whether the shader has its wrapper: a file of its name, or of its operation if it is a variant of one. */
function hasWrapper(name: string, files: readonly SourceFile[]): boolean {
  return files.some((file) => {
    const operation = file.path.match(/^kernels\/(\w+)\.ts$/)?.[1];
    if (operation === undefined) return false;
    if (operation === name) return true;
    return name.startsWith(`${operation}_`) && importsOf(file).some(({ target }) => target === `kernels/${name}.wgsl`);
  });
}

/** Checks a file of functions that kernels share: what it needs is said, and at least two others call it. */
function sharedFindings(name: string, text: string, shaders: readonly SourceFile[]): string[] {
  const header = headerOf(text);
  const findings = codeFindings(text, 0);
  if (!new RegExp(`^// ${name}: \\S`).test(header[0] ?? "")) {
    findings.push(`the first line must be "// ${name}: " and what it computes, found "${header[0] ?? ""}"`);
  }
  if (!header.some((line) => /^\/\/ needs +\S/.test(line))) {
    findings.push('the header has no line "// needs ...": name what the calling shader must declare, or nothing');
  }
  // `link` puts the wide form of a file in its place.
  const called = name.replace(/_wide$/, "");
  const callers = shaders.filter((shader) => callsOf(shader.text).includes(called)).length;
  if (callers < 2) findings.push(`${callers} shaders call it: what one shader needs stands in that shader`);
  return findings;
}

/**
 * Checks the kernels in a list of files.
 *
 * @param files Shaders and wrappers of `kernels/`, and everything in `tests/`.
 * @returns One line for each offence.
 */
export function lintKernels(files: readonly SourceFile[]): string[] {
  const paths = new Set(files.map((file) => file.path));
  const tests = files.filter((file) => /^tests\/kernels\/.*_test\.ts$/.test(file.path));
  const shaders = files.filter((file) => /^kernels\/.*\.wgsl$/.test(file.path));
  return shaders.flatMap(({ path, text }) => {
    const shared = sharedName(path);
    if (shared !== null) return sharedFindings(shared, text, shaders).map((finding) => `${path}: ${finding}`);
    const name = path.slice("kernels/".length, -".wgsl".length);
    const findings = [...headerFindings(name, headerOf(text), paths), ...codeFindings(text, 1)];
    for (const called of callsOf(text)) {
      if (!paths.has(`kernels/shared/${called}.wgsl`)) {
        findings.push(`it calls ${called}, which is not in kernels/shared`);
      }
    }
    if (!hasWrapper(name, files)) {
      findings.push(
        `no wrapper: kernels/${name}.ts, or the wrapper of the operation it is a variant of, must import it`,
      );
    }
    const wrapper = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const tested = paths.has(`tests/kernels/${name}_test.ts`) ||
      tests.some((test) => new RegExp(`\\b(?:${name}|${wrapper})\\b`).test(test.text));
    if (!tested) findings.push(`no test: tests/kernels/${name}_test.ts is missing and no other kernel test names it`);
    return findings.map((finding) => `${path}: ${finding}`);
  });
}

/** Reads the project's shaders, wrappers and tests. */
export function readKernelFiles(): SourceFile[] {
  return readFiles(["kernels", "tests"], [".wgsl", ".ts"]);
}

if (import.meta.main) {
  const files = readKernelFiles();
  const count = files.filter((file) => file.path.endsWith(".wgsl") && sharedName(file.path) === null).length;
  reportFindings(`Kernels: ${count} shaders`, lintKernels(files));
}
