/**
 * What everything above sees of stored weights: tensors by their Hugging Face names, read in pieces.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { SafetensorsDtype } from "./safetensors_header.ts";

/** Name of a quantised format that stays as it is, with a block as the smallest piece. */
export type PackedFormat = "Q4_0" | "Q4_1" | "Q8_0" | "Q4_K" | "Q6_K";

/** Every quantised format that stays as it is. */
export const PACKED_FORMATS: readonly PackedFormat[] = ["Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K"];

/** What is known of a weight without reading it. */
export interface WeightInfo {
  /** Type of the bytes that reading gives. */
  readonly dtype: SafetensorsDtype | PackedFormat;
  /** Sizes in elements, row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Bytes that reading gives. */
  readonly byteLength: number;
  /** Format in the file, where reading converts it. */
  readonly storedAs?: string;
}

/** The weights of a model, open for reading. */
export interface WeightSource extends Disposable {
  /** Folder or file that they are in, as given. */
  readonly path: string;
  /** All tensors by Hugging Face name, in Hugging Face row order. */
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /**
   * Reads a whole tensor.
   *
   * @returns Its bytes in its `dtype`, little-endian, row-major.
   * @throws {FileError} If there is no such tensor or its file cannot be read.
   */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads a tensor piece by piece; no element and no block is torn.
   *
   * @param maxBytes Largest piece in bytes.
   * @returns The pieces in order.
   * @throws {FileError} If there is no such tensor or its file cannot be read; {RangeError} if a block does not fit a
   * piece.
   */
  chunks(name: string, maxBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /**
   * Fingerprint of the weights: equal for equal names, types, shapes and bytes as stored, in Hugging Face row order.
   *
   * @returns SHA-256 in hexadecimal; computed once, streamed.
   */
  hash(signal?: AbortSignal): Promise<string>;
}

/**
 * Hashes tensors in the order of their names.
 *
 * @param tensors Stored type and shape by name.
 * @param chunks Gives the stored bytes of a tensor.
 * @param signal Stops before the next piece.
 * @returns SHA-256 in hexadecimal.
 */
export async function hashTensors(
  tensors: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>,
  chunks: (name: string) => AsyncIterable<Uint8Array<ArrayBuffer>>,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape } = tensors.get(name)!;
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    for await (const bytes of chunks(name)) {
      signal?.throwIfAborted();
      hash.update(bytes);
      release(bytes);
    }
  }
  return hash.digest("hex");
}

/**
 * Gives up bytes that nobody reads again: left to the collector, the pieces of a model would pile up to as much memory as
 * the model takes. A part of a larger buffer is left alone, since others may read the rest.
 */
export function release(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.byteLength === bytes.buffer.byteLength) bytes.buffer.transfer(0);
}
