/**
 * Reads numbers and texts one after another from the front of a GGUF file, and refuses any length that the file cannot
 * hold before it allocates.
 *
 * @module
 */

import { FileError } from "./file_error.ts";

/** Largest header that is read; those of the largest vocabularies take about a tenth. */
export const MAX_HEADER_BYTES = 256 * 1024 * 1024;

/** Raised inside the parser where the bytes at hand end and the file goes on; never leaves the parser. */
export class MoreBytesWanted extends Error {}

const AGAIN = "fetch or convert the file again";

/** A place in the header that moves on with every value. */
export class GgufCursor {
  /** File, for messages. */
  readonly path: string;
  /** Next byte to read. */
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /**
   * Starts at the first byte.
   *
   * @param path File, for messages.
   * @param bytes The front of the file, or all of it.
   * @param fileBytes Size of the whole file.
   */
  constructor(path: string, bytes: Uint8Array, fileBytes: number) {
    this.path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
  }

  /** The error for a fault of the file. */
  fault(what: string, remedy: string = AGAIN): FileError {
    return new FileError(this.path, `Cannot read ${this.path}: ${what}; ${remedy}`);
  }

  /** Bytes that the header may still take. */
  get left(): number {
    return Math.min(this.#fileBytes, MAX_HEADER_BYTES) - this.position;
  }

  /** Unsigned byte. */
  u8(what: string): number {
    return this.#view.getUint8(this.#take(1, what));
  }

  /** Signed byte. */
  i8(what: string): number {
    return this.#view.getInt8(this.#take(1, what));
  }

  /** Unsigned 16 bits. */
  u16(what: string): number {
    return this.#view.getUint16(this.#take(2, what), true);
  }

  /** Signed 16 bits. */
  i16(what: string): number {
    return this.#view.getInt16(this.#take(2, what), true);
  }

  /** Unsigned 32 bits. */
  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  /** Signed 32 bits. */
  i32(what: string): number {
    return this.#view.getInt32(this.#take(4, what), true);
  }

  /** Float of 32 bits. */
  f32(what: string): number {
    return this.#view.getFloat32(this.#take(4, what), true);
  }

  /** Float of 64 bits. */
  f64(what: string): number {
    return this.#view.getFloat64(this.#take(8, what), true);
  }

  /** Unsigned 64 bits. */
  u64(what: string): bigint {
    return this.#view.getBigUint64(this.#take(8, what), true);
  }

  /** Signed 64 bits. */
  i64(what: string): bigint {
    return this.#view.getBigInt64(this.#take(8, what), true);
  }

  /**
   * A 64-bit number of items that follow.
   *
   * @param leastBytes Bytes that an item takes at least.
   * @throws {FileError} If the file cannot hold that many.
   */
  count(what: string, leastBytes: number): number {
    const count = this.u64(what);
    if (count > BigInt(Math.floor(this.left / leastBytes))) {
      throw this.fault(`it claims ${count} as ${what}, and at most ${this.left} bytes are left for them`);
    }
    return Number(count);
  }

  /** A text behind its length. @throws {FileError} If it is longer than the file or `maxBytes`, or no UTF-8. */
  text(what: string, maxBytes = MAX_HEADER_BYTES): string {
    const length = this.count(`the length of ${what}`, 1);
    if (length > maxBytes) throw this.fault(`${what} takes ${length} bytes, wanted at most ${maxBytes}`);
    const start = this.#take(length, what);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.fault(`${what} is no UTF-8 text`);
    }
  }

  /** A copy of the next bytes. */
  copy(length: number, what: string): Uint8Array<ArrayBuffer> {
    const start = this.#take(length, what);
    return this.#bytes.slice(start, start + length);
  }

  /** Moves on by `length` bytes, which must be in the file and at hand; returns where they start. */
  #take(length: number, what: string): number {
    if (length > this.left) {
      throw this.fault(
        this.position + length > this.#fileBytes
          ? `the file ends at byte ${this.#fileBytes}, within ${what}; it was cut short`
          : `its header goes on after ${MAX_HEADER_BYTES} bytes (${what}), wanted a shorter one`,
      );
    }
    const start = this.position;
    if (start + length > this.#bytes.length) throw new MoreBytesWanted();
    this.position += length;
    return start;
  }
}
