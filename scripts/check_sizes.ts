/**
 * Checks that files stay short enough to read and small enough to clone.
 *
 * @module
 */
import { listFiles, PROJECT_ROOT, readFiles, reportFindings, type SourceFile } from "./source_files.ts";

const LINE_LIMITS: Record<string, number> = { ".ts": 300, ".wgsl": 150 };
const CELL_LINE_LIMIT = 25;
const BYTE_LIMIT = 2_000_000;

/** Files that may be larger than the limits, each with its reason. */
export const ALLOWED: Readonly<Record<string, string>> = {
  "fixtures/world/world-gptj/model.safetensors": "weights of a world model: the demo edits it",
  "fixtures/world/world-qwen3/model.safetensors": "weights of a world model: the demo edits it",
};

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function longCells({ path, text }: SourceFile): string[] {
  const { cells } = JSON.parse(text) as { cells: { cell_type: string; source: string | string[] }[] };
  return cells.flatMap((cell, index) => {
    const lines = countLines(Array.isArray(cell.source) ? cell.source.join("") : cell.source);
    if (cell.cell_type !== "code" || lines <= CELL_LINE_LIMIT) return [];
    return [
      `${path}: cell ${index + 1} has ${lines} lines of code, at most ${CELL_LINE_LIMIT} are allowed: move logic out`,
    ];
  });
}

/**
 * Checks the number of lines of source files and of notebook cells.
 *
 * @param files TypeScript and WGSL files, and notebooks.
 * @param allowed Paths that may be longer, each with its reason.
 * @returns One line for each file or cell that is too long, and for each needless allowance.
 */
export function checkLines(
  files: readonly SourceFile[],
  allowed: Readonly<Record<string, string>> = ALLOWED,
): string[] {
  return files.flatMap((file) => {
    if (file.path.endsWith(".ipynb")) return longCells(file);
    const lines = countLines(file.text);
    const limit = LINE_LIMITS[file.path.slice(file.path.lastIndexOf("."))];
    if (limit === undefined) return [];
    const isLong = lines > limit;
    if (isLong && allowed[file.path] === undefined) {
      return [`${file.path}: ${lines} lines, at most ${limit} are allowed: split it by concept`];
    }
    if (!isLong && allowed[file.path] !== undefined) {
      return [`${file.path}: ${lines} lines need no allowance: remove it`];
    }
    return [];
  });
}

/**
 * Checks the byte lengths of files.
 *
 * @param files Path and byte length of each file.
 * @param allowed Paths that may be larger, each with its reason.
 * @returns One line for each file that is too large.
 */
export function checkBytes(
  files: readonly { path: string; byteLength: number }[],
  allowed: Readonly<Record<string, string>> = ALLOWED,
): string[] {
  return files.filter(({ path, byteLength }) => byteLength > BYTE_LIMIT && allowed[path] === undefined)
    .map(({ path, byteLength }) => `${path}: ${byteLength} bytes, at most ${BYTE_LIMIT} are allowed in the repository`);
}

const SOURCES = ["mod.ts", "src", "kernels", "scripts", "tests", "vendor", "notebooks"];

/** Reads the project's files whose lines are counted. */
export function readCountedFiles(): SourceFile[] {
  return readFiles(SOURCES, [".ts", ".wgsl", ".ipynb"]);
}

/** Lists the project's files with their byte lengths, data included. */
export function listSizes(): { path: string; byteLength: number }[] {
  return listFiles(PROJECT_ROOT, [...SOURCES, "fixtures", "docs"])
    .map((path) => ({ path, byteLength: Deno.statSync(`${PROJECT_ROOT}/${path}`).size }));
}

if (import.meta.main) {
  const sizes = listSizes();
  reportFindings(`Sizes: ${sizes.length} files`, [...checkLines(readCountedFiles()), ...checkBytes(sizes)]);
}
