/**
 * Checks the documentation of what `mod.ts` exports, and runs the examples in doc comments and in the README.
 *
 * @module
 */
import { importsOf } from "./imports.ts";
import { PROJECT_ROOT, readFiles, reportFindings, type SourceFile } from "./source_files.ts";

/**
 * Lists the files whose doc comments or code blocks hold TypeScript to run.
 *
 * @param files Sources and Markdown files.
 * @returns Paths of those with a fenced `ts` block that is not marked `ignore`.
 */
export function filesWithExamples(files: readonly SourceFile[]): string[] {
  const block = /^\s*(?:\*\s*)?```(?:ts|typescript)(?![^\n]*\bignore\b)\s*/m;
  return files.filter((file) => block.test(file.text)).map((file) => file.path);
}

/**
 * Lists what a file or its examples import by a name unknown to the import map.
 *
 * @param file A source or Markdown file.
 * @param known Names in the import map.
 * @returns One line for each such import: code and examples run without a network.
 */
export function remoteImports(file: SourceFile, known: ReadonlySet<string>): string[] {
  const text = file.text.replace(/^\s*\* ?/gm, "");
  const isKnown = (name: string): boolean =>
    name.startsWith("node:") || known.has(name) || [...known].some((entry) => name.startsWith(`${entry}/`));
  return importsOf({ path: file.path, text })
    .filter(({ specifier, target }) => target === null && !isKnown(specifier))
    .map(({ specifier }) => `${file.path}: imports ${specifier}, which is not in deno.json's import map`);
}

/** The part of `deno.json` that says what may be imported and where tests and examples are. */
interface Config {
  imports: Record<string, string>;
  test: { include: string[] };
}

/** Reads the project's files whose examples are tests, and lists what in them no import map knows. */
export function readDocs(): { files: SourceFile[]; findings: string[] } {
  const { imports, test } = JSON.parse(Deno.readTextFileSync(`${PROJECT_ROOT}/deno.json`)) as Config;
  const known = new Set(Object.keys(imports));
  const files = readFiles(test.include.filter((path) => path !== "tests"), [".ts", ".md"]);
  return { files, findings: files.flatMap((file) => remoteImports(file, known)) };
}

async function run(args: string[]): Promise<boolean> {
  console.log(`deno ${args.join(" ")}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: PROJECT_ROOT }).spawn().status;
  return success;
}

if (import.meta.main) {
  const { files, findings } = readDocs();
  if (!await run(["doc", "--lint", "mod.ts"])) findings.push("deno doc --lint mod.ts failed: see above");
  const examples = filesWithExamples(files);
  if (examples.length > 0 && findings.length === 0 && !await run(["test", "-A", "--doc", ...examples])) {
    findings.push("an example failed: see above");
  }
  reportFindings(`Docs: ${files.length} files, ${examples.length} with examples`, findings);
}
