/**
 * Results that survive a stop: one JSON value a line, appended as they come, whole lines only.
 *
 * @module
 */
import { dirname } from "node:path";
import { FileError, fileError } from "../checkpoint/file_error.ts";
import { type JsonSchema, validateJson } from "../checkpoint/json_file.ts";

/** A file of results that is read once and then appended to. */
export class ResultsFile<T> implements Disposable {
  /** Path of the file. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #rows: T[];

  private constructor(path: string, file: Deno.FsFile, rows: T[]) {
    this.path = path;
    this.#file = file;
    this.#rows = rows;
  }

  /**
   * Opens a results file or makes it, with its folders; a last line that a stop cut off is taken away.
   *
   * @param path File to open.
   * @param schema What every line must hold.
   * @throws {FileError} If the file cannot be read or written, another run has it open, or a line holds something else.
   */
  static async open<T>(path: string, schema: JsonSchema<T>): Promise<ResultsFile<T>> {
    let file: Deno.FsFile;
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      file = await Deno.open(path, { read: true, write: true, create: true });
    } catch (cause) {
      throw fileError("write", path, cause);
    }
    try {
      await claim(path, file);
      const bytes = await Deno.readFile(path);
      const end = bytes.lastIndexOf("\n".charCodeAt(0)) + 1;
      const lines = new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
      const rows = lines.map((line, i) => validateJson(path, parseLine(path, line, i + 1), schema));
      if (end < bytes.length) await file.truncate(end);
      await file.seek(end, Deno.SeekMode.Start);
      return new ResultsFile(path, file, rows);
    } catch (cause) {
      file.close();
      throw fileError("read", path, cause);
    }
  }

  /** Results so far, earlier runs included. */
  get rows(): readonly T[] {
    return this.#rows;
  }

  /**
   * Appends one result; it is on the disk when this returns.
   *
   * @param row Result that fits the schema.
   * @throws {FileError} If it cannot be written; the next {@linkcode ResultsFile.open} drops what was cut off.
   */
  async append(row: T): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(row)}\n`);
    try {
      for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
      await this.#file.syncData();
    } catch (cause) {
      throw fileError("write", this.path, cause);
    }
    this.#rows.push(row);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Keeps other runs from writing over what this one appends, until the file is closed. */
async function claim(path: string, file: Deno.FsFile): Promise<void> {
  // Where the file system has no locks, nothing is known of other runs.
  const free = await file.tryLock(true).catch(() => true);
  if (free) return;
  throw new FileError(
    path,
    `Cannot write ${path}: another run has it open; wait for its end, or choose another folder with --out`,
  );
}

function parseLine(path: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FileError(
      path,
      `Cannot use ${path}: line ${number} is no JSON; remove the line, or choose another folder with --out`,
      { cause },
    );
  }
}
