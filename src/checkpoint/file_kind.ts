import { fileError } from "./file_error.ts";

/**
 * Whether there is a file, links followed.
 *
 * @throws {FileError} If it cannot be looked at: what it says would otherwise be left out without a word.
 */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return false;
    throw fileError("read", path, cause);
  }
}

/** Whether there is a folder, links followed; what cannot be looked at is none. */
export async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isDirectory, () => false);
}
