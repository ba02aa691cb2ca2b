/**
 * Tensors of one GGUF file, read on demand; the file is never held in memory as a whole.
 *
 * @module
 */

import { type ByteSource, FileBytes } from "./byte_source.ts";
import { FileError } from "./file_error.ts";
import { type GgufHeader, parseGgufHeader } from "./gguf_header.ts";
import type { GgufTensor } from "./gguf_layout.ts";
import type { GgufValue } from "./gguf_metadata.ts";

/** Bytes of the front of a file that are read first; those of a header with a large vocabulary are a few times more. */
const FIRST_BYTES = 1 << 20;

/** An open GGUF file with a checked header. */
export class GgufFile implements Disposable {
  /** Path of the file, as given. */
  readonly path: string;
  /** Metadata by key. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Tensors by their names in the file. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly #source: ByteSource;

  private constructor(source: ByteSource, { metadata, tensors }: GgufHeader) {
    this.path = source.path;
    this.metadata = metadata;
    this.tensors = tensors;
    this.#source = source;
  }

  /**
   * Opens a file and checks its header, without reading a tensor.
   *
   * @param path The file.
   * @returns The open file; the caller disposes it.
   * @throws {FileError} If the file cannot be read, was cut short or breaks the format.
   */
  static async open(path: string): Promise<GgufFile> {
    return await GgufFile.from(await FileBytes.open(path));
  }

  /**
   * Reads and checks the header of anything that can be read like a file.
   *
   * @param source The bytes; disposed with the file, or at once if they are refused.
   * @throws {FileError} As {@linkcode GgufFile.open}.
   */
  static async from(source: ByteSource): Promise<GgufFile> {
    using opened = new DisposableStack();
    opened.use(source);
    // What was parsed of a header that goes on is thrown away; as pieces double, that at most doubles the work.
    for (let length = Math.min(FIRST_BYTES, source.size);; length = Math.min(2 * length, source.size)) {
      const header = parseGgufHeader(source.path, await source.read(0, length), source.size);
      if (header === null) continue;
      opened.move();
      return new GgufFile(source, header);
    }
  }

  /**
   * Describes a tensor without reading it.
   *
   * @throws {FileError} If the file has no such tensor.
   */
  info(name: string): GgufTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) {
      throw new FileError(
        this.path,
        `Cannot find tensor "${name}" in ${this.path}: the file holds ${this.tensors.size} others; check the name`,
      );
    }
    return tensor;
  }

  /**
   * Reads a part of a tensor.
   *
   * @param name Name in the file.
   * @param from First byte, counted from the start of the tensor.
   * @param length Bytes to read. Default: to the end of the tensor.
   * @throws {FileError} If the file has no such tensor or cannot be read.
   */
  read(name: string, from = 0, length?: number): Promise<Uint8Array<ArrayBuffer>> {
    const { start, byteLength } = this.info(name);
    return this.#source.read(start + from, length ?? byteLength - from);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }
}
