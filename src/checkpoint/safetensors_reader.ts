/**
 * Tensors of one safetensors file, read on demand; the file is never held in memory as a whole.
 *
 * @module
 */

import { FileBytes } from "./byte_source.ts";
import { FileError } from "./file_error.ts";
import {
  LENGTH_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
  type TensorEntry,
  type TensorInfo,
} from "./safetensors_header.ts";

/** An open safetensors file with a checked header. */
export class SafetensorsFile implements Disposable {
  /** Path of the file, as given. */
  readonly path: string;
  readonly #file: FileBytes;
  readonly #header: SafetensorsHeader;

  private constructor(file: FileBytes, header: SafetensorsHeader) {
    this.path = file.path;
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
    using opened = new DisposableStack();
    const file = opened.use(await FileBytes.open(path));
    const prefix = await file.read(0, Math.min(LENGTH_BYTES, file.size));
    const json = await file.read(LENGTH_BYTES, parseHeaderLength(path, prefix, file.size));
    const header = parseHeader(path, json, file.size);
    opened.move();
    return new SafetensorsFile(file, header);
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
    return await this.#file.read(start, byteLength);
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
    const read = (done: number): Promise<Uint8Array<ArrayBuffer>> => {
      const piece = this.#file.read(start + done, Math.min(step, byteLength - done));
      // Who stops before the piece does not wait for it; who waits is told.
      piece.catch(() => {});
      return piece;
    };
    // A piece is read while the one before is used.
    let next = byteLength > 0 ? read(0) : null;
    for (let done = step; next; done += step) {
      const piece = await next;
      next = done < byteLength ? read(done) : null;
      yield piece;
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
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
}
