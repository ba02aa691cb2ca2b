/**
 * Bytes that are read in pieces from any place, so that a large file is never held in memory as a whole.
 *
 * @module
 */

import { FileError, fileError } from "./file_error.ts";

/** A file, or anything that can be read like one. */
export interface ByteSource extends Disposable {
  /** Path for messages. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Reads a piece.
   *
   * @param start First byte.
   * @param length Bytes to read.
   * @returns Exactly `length` bytes, the caller's.
   * @throws {FileError} If they cannot be read.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Fills `target` from the present position; returns the bytes read, fewer only at the end of the file. */
async function readFully(file: Deno.FsFile, target: Uint8Array): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const count = await file.read(target.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}

/** A file on the disk, open for reading. */
export class FileBytes implements ByteSource {
  /** Path of the file, as given. */
  readonly path: string;
  /** Size in bytes when it was opened. */
  readonly size: number;
  readonly #file: Deno.FsFile;
  /** End of the last read that was asked for: seek and read of one call must not mix with those of another. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: Deno.FsFile, size: number) {
    this.path = path;
    this.#file = file;
    this.size = size;
  }

  /**
   * Opens a file.
   *
   * @param path The file.
   * @returns The open file; the caller disposes it.
   * @throws {FileError} If it cannot be opened.
   */
  static async open(path: string): Promise<FileBytes> {
    let file: Deno.FsFile | undefined;
    try {
      // Asked before it is opened: a pipe that nobody writes to would be waited for.
      const { isFifo, isSocket, isCharDevice } = await Deno.stat(path);
      if (isFifo || isSocket || isCharDevice) {
        throw new FileError(
          path,
          `Cannot read ${path}: found a pipe or a device, wanted a file, which can be read from any place; write it to ` +
            `a file first`,
        );
      }
      file = await Deno.open(path);
      const { size, isDirectory } = await file.stat();
      if (isDirectory) throw new Deno.errors.IsADirectory(path);
      return new FileBytes(path, file, size);
    } catch (cause) {
      file?.close();
      throw fileError("read", path, cause);
    }
  }

  /**
   * Reads a piece; calls that overlap are served one after another.
   *
   * @throws {FileError} If the file ends before the piece does, or the system fails.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const job = this.#turn.then(async () => {
      try {
        const bytes = new Uint8Array(length);
        await this.#file.seek(start, Deno.SeekMode.Start);
        const count = await readFully(this.#file, bytes);
        if (count === length) return bytes;
        throw new FileError(
          this.path,
          `Cannot read ${this.path}: found ${count} bytes at ${start}, wanted ${length}; ` +
            `the file changed while it was open: open it again`,
        );
      } catch (cause) {
        throw fileError("read", this.path, cause);
      }
    });
    this.#turn = job.catch(() => undefined);
    return job;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
