/**
 * The imports of a source file and of a notebook's code cells, read from their text.
 *
 * @module
 */
import { dirname, join, normalize } from "node:path/posix";
import type { SourceFile } from "./source_files.ts";

/** One import or re-export. */
export interface Import {
  /** Path of the importing file. */
  from: string;
  /** Line of the statement, 1-based; in a notebook, of its code cells put together. */
  line: number;
  /** The text between the quotes. */
  specifier: string;
  /** Path of the imported file, or null for a package. */
  target: string | null;
  /** Whether only types are imported. */
  typeOnly: boolean;
}

// `deno fmt` puts a static import at the start of a line, where no comment or indented text is taken for one.
const STATIC_IMPORT = /^(?:import|export)\s+(type\s+)?([\w$*\s{},]+?)\s+from\s+"([^"]+)"/gm;
const BARE_IMPORT = /^import\s+"([^"]+)"/gm;
const DYNAMIC_IMPORT = /^(?!\s*(?:\*|\/\/)).*\bimport\(\s*"([^"]+)"/gm;

function codeOf(file: SourceFile): string {
  if (!file.path.endsWith(".ipynb")) return file.text;
  const { cells } = JSON.parse(file.text) as { cells: { cell_type: string; source: string | string[] }[] };
  return cells.filter((cell) => cell.cell_type === "code")
    .map((cell) => Array.isArray(cell.source) ? cell.source.join("") : cell.source)
    .join("\n");
}

function namesOnlyTypes(clause: string): boolean {
  const braces = clause.trim().match(/^\{([^}]*)\}$/);
  if (braces === null) return false;
  const names = braces[1]!.split(",").map((name) => name.trim()).filter((name) => name !== "");
  return names.length > 0 && names.every((name) => name.startsWith("type "));
}

function resolve(from: string, specifier: string): string | null {
  if (specifier === "ace-webgpu") return "mod.ts";
  return /^\.{0,2}\//.test(specifier) ? normalize(join(dirname(from), specifier)) : null;
}

/**
 * Lists the imports of a file: static, re-exported, for their effect, and dynamic with a literal name.
 *
 * @param file A `.ts` file formatted by `deno fmt`, or an `.ipynb` notebook.
 * @returns The imports in the order of their lines.
 */
export function importsOf(file: SourceFile): Import[] {
  const code = codeOf(file);
  const found: Import[] = [];
  const add = (index: number, specifier: string, typeOnly: boolean): void => {
    const line = code.slice(0, index).split("\n").length;
    found.push({ from: file.path, line, specifier, target: resolve(file.path, specifier), typeOnly });
  };
  for (const match of code.matchAll(STATIC_IMPORT)) {
    add(match.index, match[3]!, match[1] !== undefined || namesOnlyTypes(match[2]!));
  }
  for (const match of code.matchAll(BARE_IMPORT)) add(match.index, match[1]!, false);
  for (const match of code.matchAll(DYNAMIC_IMPORT)) add(match.index, match[1]!, false);
  return found.sort((a, b) => a.line - b.line);
}
