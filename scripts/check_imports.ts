/**
 * Checks who imports whom: each layer knows only the layers below it, nothing imports in a circle, and packages for tests
 * and the bench stay out of the library.
 *
 * @module
 */
import { type Import, importsOf } from "./imports.ts";
import { readFiles, reportFindings, type SourceFile } from "./source_files.ts";

/** The order of the layers, as messages quote it. */
export const LAYER_RULE =
  "gpu <- kernels <- linalg <- model <- attribution <- editing <- evaluation <- scripts, notebooks; " +
  "checkpoint <- model; display <- scripts, notebooks and evaluation's report";

const BELOW_MODEL = ["gpu", "kernels", "linalg", "checkpoint"];
const BELOW_EVALUATION = [...BELOW_MODEL, "model", "attribution", "editing"];
const HOUSE = [...BELOW_EVALUATION, "evaluation", "display"];

/** What each layer may import beside its own files. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  gpu: [],
  kernels: ["gpu"],
  linalg: ["gpu", "kernels"],
  checkpoint: [],
  model: BELOW_MODEL,
  attribution: [...BELOW_MODEL, "model"],
  editing: [...BELOW_MODEL, "model", "attribution"],
  evaluation: BELOW_EVALUATION,
  display: [],
  "mod.ts": HOUSE,
  scripts: [...HOUSE, "mod.ts"],
  notebooks: [...HOUSE, "mod.ts"],
};

const BENCH_PACKAGES = ["@jax-js/jax", "@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgpu"];
const TEST_PACKAGES = ["@std/assert", "fast-check", "safetensors", "playwright-core"];

/** Names the layer of a path: the folder below `src`, or the top folder. */
function layerOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "src" ? parts[1]! : parts[0]!;
}

function layerFinding(imported: Import): string | null {
  const { target } = imported;
  if (target === null) return null;
  const from = layerOf(imported.from);
  const to = layerOf(target);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `${from} is no layer of the house (rule: ${LAYER_RULE})`;
  if (from === to || allowed.includes(to)) return null;
  // The report joins results with figures; display in turn describes data of lower layers by their types.
  if (from === "evaluation" && to === "display" && /report/.test(imported.from)) return null;
  // Bench and fuzzing live with the tests, as they need packages that are none of the library's; a command starts each.
  const kin = /^scripts\/(bench|fuzz)\.ts$/.exec(imported.from)?.[1];
  if (kin !== undefined && target.startsWith(`tests/${kin}/`)) return null;
  if (from === "display" && BELOW_EVALUATION.includes(to)) {
    return imported.typeOnly ? null : `display may import only types from ${to} (rule: ${LAYER_RULE})`;
  }
  const list = allowed.length === 0 ? "nothing of the project" : `only ${allowed.join(", ")}`;
  return `${from} may import ${list} (rule: ${LAYER_RULE})`;
}

function packageFinding({ from, specifier, target }: Import): string | null {
  if (target !== null) return null;
  if (/^(?:npm|jsr|https?):/.test(specifier)) return "packages are imported by the names in deno.json's import map";
  if (TEST_PACKAGES.includes(specifier)) return `${specifier} is a package for tests`;
  if (BENCH_PACKAGES.includes(specifier) && !from.includes("bench")) return `${specifier} is a package for the bench`;
  return null;
}

/** Finds circles of imports at run time, written `a -> b -> a`: types that name each other are erased and make none. */
function findCycles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, target, typeOnly } of imports) {
    if (target !== null && !typeOnly) targets.set(from, [...(targets.get(from) ?? []), target]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      cycles.push([...path.slice(start), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return cycles;
}

/**
 * Checks the import rules over a list of files.
 *
 * @param files Source files and notebooks; tests are not bound by the rules and are left out by the caller.
 * @returns One line for each offence: the importing line, what it imports, and the rule.
 */
export function checkImports(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(importsOf);
  const findings: string[] = [];
  for (const file of files) {
    if (/(?:^|\/)(?:utils?|helpers?|misc|common)(?:\/|\.ts$)/.test(file.path)) {
      findings.push(`${file.path}: a name that says nothing: name the file by its concept (rule: no utils)`);
    }
  }
  for (const imported of imports) {
    const finding = layerFinding(imported) ?? packageFinding(imported);
    if (finding !== null) {
      findings.push(`${imported.from}:${imported.line} imports ${imported.target ?? imported.specifier}: ${finding}`);
    }
  }
  return [...findings, ...findCycles(imports).map((cycle) => `Import cycle: ${cycle} (rule: no cycles)`)];
}

/** Reads the project's files that the rules bind. */
export function readBoundFiles(): SourceFile[] {
  return readFiles(["mod.ts", "src", "kernels", "scripts", "notebooks"], [".ts", ".ipynb"]);
}

if (import.meta.main) {
  const files = readBoundFiles();
  reportFindings(`Import rules: ${files.length} files`, checkImports(files));
}
