/**
 * Rows of a tensor in another order than in the file: which ones follow each other, and how they are read in pieces.
 *
 * @module
 */

import { BLOCK_FORMATS } from "./blocks/block_formats.ts";
import type { GgufFile } from "./gguf_file.ts";

/** Rows `first`, `first + step`, `first + 2 step`, ..., `count` of them. */
export interface RowRun {
  /** Number of the first row in the file. */
  readonly first: number;
  /** Distance from row to row. */
  readonly step: number;
  /** Number of rows. */
  readonly count: number;
}

/**
 * The order that undoes llama.cpp's: it turns neighbouring features (0, 1), (2, 3), ... where Hugging Face turns the
 * halves of a head, (0, n/2), (1, n/2 + 1), ....
 *
 * @param heads Number of heads.
 * @param dHead Rows of a head, an even number.
 * @returns For each head its even rows, then its odd ones.
 */
export function pairsToHalves(heads: number, dHead: number): RowRun[] {
  return Array.from({ length: 2 * heads }, (_, i) => ({
    first: Math.floor(i / 2) * dHead + i % 2,
    step: 2,
    count: dHead / 2,
  }));
}

/** Moves `count` rows that lie `stride` bytes apart to the front; returns them. */
function gather(span: Uint8Array<ArrayBuffer>, count: number, rowBytes: number, stride: number) {
  for (let row = 1; row < count; row++) span.copyWithin(row * rowBytes, row * stride, row * stride + rowBytes);
  return span.subarray(0, count * rowBytes);
}

/**
 * Reads the stored blocks of a tensor piece by piece.
 *
 * Rows that lie apart are read with what is between them, so that a piece costs one read of at most twice its size.
 *
 * @param file The file.
 * @param name Name in the file.
 * @param runs The order of the rows, or null for that of the file.
 * @param most Blocks of a piece at most, at least 1.
 */
export async function* storedPieces(
  file: GgufFile,
  name: string,
  runs: readonly RowRun[] | null,
  most: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { format, shape, byteLength } = file.info(name);
  const step = most * BLOCK_FORMATS[format].bytes;
  const contiguous = async function* (from: number, length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let done = 0; done < length; done += step) {
      yield await file.read(name, from + done, Math.min(step, length - done));
    }
  };
  if (runs === null) return yield* contiguous(0, byteLength);
  const rowBytes = byteLength / shape[0]!;
  for (const { first, step: apart, count } of runs) {
    const rows = Math.floor(step / rowBytes);
    for (let done = 0; done < count; done += Math.max(1, rows)) {
      const from = (first + done * apart) * rowBytes;
      if (rows === 0) {
        yield* contiguous(from, rowBytes);
        continue;
      }
      const taken = Math.min(rows, count - done);
      const span = await file.read(name, from, ((taken - 1) * apart + 1) * rowBytes);
      yield gather(span, taken, rowBytes, apart * rowBytes);
    }
  }
}
