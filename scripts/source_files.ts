/**
 * The project's own files, for the checks that read them.
 *
 * @module
 */

/** A text file of the project. */
export interface SourceFile {
  /** Path from the project's root, with `/` between the parts. */
  path: string;
  /** The whole text. */
  text: string;
}

/** Folder that holds `deno.json`. */
export const PROJECT_ROOT: string = import.meta.dirname!.replace(/[\\/]scripts$/, "");

const NOT_OURS = new Set(["node_modules", ".git", ".cache", "out"]);

function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

/**
 * Lists files below `folders`, sorted, leaving out what is generated or installed.
 *
 * @param root Folder that the paths start from.
 * @param folders Folders or files below `root`; those that do not exist are passed over.
 * @returns Paths from `root`.
 */
export function listFiles(root: string, folders: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    if (Deno.statSync(`${root}/${path}`).isFile) {
      found.push(path);
      return;
    }
    for (const entry of Deno.readDirSync(`${root}/${path}`)) {
      if (!NOT_OURS.has(entry.name) && !entry.isSymlink) visit(`${path}/${entry.name}`);
    }
  };
  for (const folder of folders) {
    try {
      visit(folder);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return found.sort();
}

/**
 * Reads the files below `folders` whose names end in one of `endings`.
 *
 * @param folders Folders or files from the root; those that do not exist are passed over.
 * @param endings File name endings with the dot, as `.ts`.
 * @param root Folder that the paths start from, the project's own unless given.
 */
export function readFiles(
  folders: readonly string[],
  endings: readonly string[],
  root: string = PROJECT_ROOT,
): SourceFile[] {
  return listFiles(root, folders)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: Deno.readTextFileSync(`${root}/${path}`) }));
}

/**
 * Prints what a check found and ends the process: exit code 0 without findings, 1 with some.
 *
 * @param what The check's name and extent, as `Import rules: 120 files`.
 * @param findings One line each.
 */
export function reportFindings(what: string, findings: readonly string[]): never {
  for (const finding of findings) console.error(finding);
  const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  console.log(`${what}, ${findings.length === 0 ? "ok" : count}`);
  Deno.exit(findings.length === 0 ? 0 : 1);
}
