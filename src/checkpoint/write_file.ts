/**
 * Files that are either whole or absent: written under a temporary name in the same folder, then renamed.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileError } from "./file_error.ts";

/** Where the bytes of a file go; a test injects one that fails. */
export interface FileSink {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until what was written is on the disk. */
  sync(): Promise<void>;
  /** Releases the file. */
  close(): void;
}

/** Opens a new file for writing. */
export type OpenSink = (path: string) => Promise<FileSink>;

/**
 * A name in the same folder that nothing else has. By chance, not by the number of the process: in a container every run
 * has the same, and would meet what a killed one left.
 *
 * @param path File or folder that gets its own name later.
 */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
}

/**
 * Opens a new file on the disk.
 *
 * @param path File to make; it must not exist.
 * @returns A sink that the caller closes.
 */
export async function openFileSink(path: string): Promise<FileSink> {
  const file = await Deno.open(path, { write: true, createNew: true });
  return {
    async write(bytes: Uint8Array): Promise<void> {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Removes a file that may never have been made. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
  }
}

/**
 * Writes a file piece by piece; until the last piece is on the disk, the old file (or none) stays in place.
 *
 * Missing folders are made. After a failure nothing new is left in the folder.
 *
 * @param path File to write or replace.
 * @param fill Writes the content through the function that it is given.
 * @param open Opens the temporary file.
 * @throws {FileError} If the folder cannot be written or the disk is full. What `fill` itself raises passes unchanged.
 */
export async function writeAtomically(
  path: string,
  fill: (write: FileSink["write"]) => Promise<void>,
  open: OpenSink = openFileSink,
): Promise<void> {
  const temporary = temporaryName(path);
  const onDisk = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (cause) {
      throw fileError("write", path, cause);
    }
  };
  await onDisk(() => Deno.mkdir(dirname(path), { recursive: true }));
  const sink = await onDisk(() => open(temporary));
  try {
    try {
      await fill((bytes) => onDisk(() => sink.write(bytes)));
      await onDisk(() => sink.sync());
    } finally {
      sink.close();
    }
    await onDisk(() => Deno.rename(temporary, path));
  } catch (cause) {
    // Where the disk has failed this may fail too; what failed first is what the user must know.
    await removeIfThere(temporary).catch(() => {});
    throw cause;
  }
}

/**
 * Writes a whole file at once, or nothing.
 *
 * @param path File to write or replace.
 * @param data Content; text is written as UTF-8.
 * @param open Opens the temporary file.
 * @throws {FileError} If the folder cannot be written or the disk is full.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, open?: OpenSink): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  await writeAtomically(path, (write) => write(bytes), open);
}
