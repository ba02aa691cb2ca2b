/**
 * Turns the code cells of a notebook into a module that can be type checked, which the kernel does not do.
 *
 * @module
 */
import { basename, dirname, join, relative, resolve } from "node:path";
import { writeFileAtomic } from "../../checkpoint/write_file.ts";
import { type Notebook } from "./notebook_file.ts";

/** A statement that imports, up to its closing quote and what follows on the line. */
const IMPORT = /^import\s+(?:([^"'(]+?)\s+from\s+)?(["'])([^"']+)\2([^\n]*)$/gm;

/** An import in an expression, up to its closing quote. */
const DYNAMIC = /\bimport\(\s*(["'])(\.{1,2}\/[^"']+)\1/g;

/**
 * Writes the code cells as one module: imports first and each once, since a module, unlike cells, may not repeat them.
 *
 * @param notebook The notebook.
 * @param folder Folder that the module will lie in; relative imports are rewritten for it.
 * @returns Source of the module.
 */
export function exportCells(notebook: Notebook, folder: string): string {
  const home = resolve(dirname(notebook.path));
  const target = (specifier: string): string => JSON.stringify(moved(specifier, home, resolve(folder)));
  const named = new Map<string, Set<string>>();
  const others = new Set<string>();
  const keep = (clause: string | undefined, from: string, attributes: string): void => {
    const names = /^\{([\s\S]*)\}$/.exec(clause ?? "")?.[1];
    if (names === undefined || attributes !== "") {
      others.add(`import ${clause === undefined ? "" : `${clause} from `}${from}${attributes};`);
      return;
    }
    const known = named.get(from) ?? new Set();
    for (const name of names.split(",")) if (name.trim() !== "") known.add(name.trim());
    named.set(from, known);
  };
  const bodies = notebook.cells.flatMap((cell, index) => {
    if (cell.type !== "code") return [];
    const body = cell.source
      .replace(IMPORT, (_, clause: string | undefined, _quote, specifier: string, rest: string) => {
        keep(clause, target(specifier), rest.replace(/;\s*$/, ""));
        return "";
      })
      .replace(DYNAMIC, (_, _quote, specifier: string) => `import(${target(specifier)}`)
      .trim();
    return body === "" ? [] : [`// cell ${index + 1}\n${body}`];
  });
  const imports = [...named].map(([target, names]) => `import { ${[...names].join(", ")} } from ${target};`);
  // Without an import or export the checker would take the file for a script, in which await is not allowed.
  return [[...imports, ...others].join("\n"), ...bodies, "export {};"].filter(Boolean).join("\n\n") + "\n";
}

/**
 * Writes the module of a notebook and checks its types.
 *
 * @param notebook The notebook.
 * @param folder Folder for the module; made where it is missing.
 * @returns Path of the module, and the checker's complaint where it has one.
 */
export async function exportAndCheck(
  notebook: Notebook,
  folder: string,
): Promise<{ path: string; complaint?: string }> {
  const path = join(folder, `${basename(notebook.path, ".ipynb")}.ts`);
  await writeFileAtomic(path, exportCells(notebook, folder));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", resolve(path)],
    // The configuration that the notebook's own kernel finds.
    cwd: resolve(dirname(notebook.path)),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return success ? { path } : { path, complaint: new TextDecoder().decode(stderr).trim() };
}

function moved(specifier: string, from: string, to: string): string {
  if (!/^\.{1,2}\//.test(specifier)) return specifier;
  const path = relative(to, resolve(from, specifier)).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}
