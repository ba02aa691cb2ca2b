/**
 * Tensors of one safetensors file, read on demand; the file is never held in memory as a whole.
 *
 * @module
 */

import { FileError, fileError } from "./file_error.ts";
import {
  LENGTH_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
  type TensorEntry,
  type TensorInfo,
} from "./safetensors_header.ts";

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

/** An open safetensors file with a checked header. */
export class SafetensorsFile implements Disposable {
  /** Path of the file, as given. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #header: SafetensorsHeader;
  /** End of the last read that was asked for: seek and read of one call must not mix with those of another. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: Deno.FsFile, header: SafetensorsHeader) {
    this.path = path;
    this.#file = file;
    this.#header = header;
  }

  /**
   * Opens a file and checks its header, without reading a tensor.
   *
   * @param path The file.
   * @returns The open file; the caller disposes it.
   * @throws {FileError} If the file cannot be read, is truncated or breaks the format.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    let file: Deno.FsFile | undefined;
    try {
      file = await Deno.open(path);
      const { size, isDirectory } = await file.stat();
      if (isDirectory) throw new Deno.errors.IsADirectory(path);
      const prefix = new Uint8Array(Math.min(LENGTH_BYTES, size));
      await readFully(file, prefix);
      const json = new Uint8Array(parseHeaderLength(path, prefix, size));
      await readFully(file, json);
      return new SafetensorsFile(path, file, parseHeader(path, json, size));
    } catch (cause) {
      file?.close();
      throw fileError("read", path, cause);
    }
  }

  /** Names of the tensors, in the order of their bytes. */
  get names(): string[] {
    return [...this.#header.tensors.keys()];
  }

  /** Free text pairs of the file. */
  get metadata(): ReadonlyMap<string, string> {
    return this.#header.metadata;
  }

  /**
   * Describes a tensor without reading it.
   *
   * @param name Name of the tensor.
   * @returns Type, shape and size in bytes.
   * @throws {FileError} If the file has no such tensor.
   */
  info(name: string): TensorInfo {
    const { dtype, shape, byteLength } = this.#entry(name);
    return { dtype, shape, byteLength };
  }

  /**
   * Reads a whole tensor.
   *
   * @param name Name of the tensor.
   * @returns Its bytes as stored, little-endian, row-major.
   * @throws {FileError} If the file has no such tensor or cannot be read.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { start, byteLength } = this.#entry(name);
    return await this.#readAt(start, byteLength);
  }

  /**
   * Reads a tensor piece by piece.
   *
   * @param name Name of the tensor.
   * @param maxBytes Largest piece in bytes; pieces end at a multiple of 8 bytes, so that no element is torn.
   * @returns The pieces in order; none for an empty tensor.
   * @throws {FileError} If the file has no such tensor or cannot be read.
   * @throws {RangeError} If `maxBytes` is below 8.
   */
  async *chunks(name: string, maxBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { start, byteLength } = this.#entry(name);
    if (!(maxBytes >= 8)) throw new RangeError(`Cannot read in pieces of ${maxBytes} bytes: wanted at least 8`);
    const step = Math.floor(maxBytes / 8) * 8;
    for (let done = 0; done < byteLength; done += step) {
      yield await this.#readAt(start + done, Math.min(step, byteLength - done));
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #entry(name: string): TensorEntry {
    const entry = this.#header.tensors.get(name);
    if (entry === undefined) {
      throw new FileError(
        this.path,
        `Cannot find tensor "${name}" in ${this.path}: the file holds ${this.#header.tensors.size} others; check the name`,
      );
    }
    return entry;
  }

  #readAt(start: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    const job = this.#turn.then(async () => {
      try {
        const bytes = new Uint8Array(byteLength);
        await this.#file.seek(start, Deno.SeekMode.Start);
        const count = await readFully(this.#file, bytes);
        if (count === byteLength) return bytes;
        throw new FileError(
          this.path,
          `Cannot read ${this.path}: found ${count} bytes at ${start}, wanted ${byteLength}; ` +
            `the file changed while it was open: open it again`,
        );
      } catch (cause) {
        throw fileError("read", this.path, cause);
      }
    });
    this.#turn = job.catch(() => undefined);
    return job;
  }
}
