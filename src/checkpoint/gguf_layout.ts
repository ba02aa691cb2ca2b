/**
 * Where the tensors of a GGUF file lie, checked before any is read.
 *
 * @module
 */

import { BLOCK_FORMATS, describeId, type FormatName, formatOfId } from "./blocks/block_formats.ts";
import { quoteValue } from "./file_error.ts";
import type { GgufCursor } from "./gguf_cursor.ts";

/** A tensor and its place in the file. */
export interface GgufTensor {
  /** Format of its blocks. */
  readonly format: FormatName;
  /** Sizes in elements, row-major: the last one is the length of a row. The header has them the other way round. */
  readonly shape: readonly number[];
  /** Size in bytes. */
  readonly byteLength: number;
  /** First byte, counted from the start of the file. */
  readonly start: number;
}

/** Longest name and most dimensions that the format allows. */
const MAX_NAME_BYTES = 64;
const MAX_DIMENSIONS = 4;

/** Shortest entry: length of the name, number of dimensions, type, offset. */
export const LEAST_ENTRY_BYTES = 8 + 4 + 4 + 8;

/** An entry of the header; the offset counts from the first tensor byte. */
export interface GgufEntry {
  /** Name in the file. */
  readonly name: string;
  /** Format of its blocks. */
  readonly format: FormatName;
  /** Sizes, row-major. */
  readonly shape: readonly number[];
  /** Size in bytes. */
  readonly byteLength: number;
  /** First byte, counted from the first tensor byte. */
  readonly offset: bigint;
}

function readEntry(cursor: GgufCursor, i: number): GgufEntry {
  const name = cursor.text(`the name of tensor ${i}`, MAX_NAME_BYTES);
  const tensor = `tensor ${quoteValue(name)}`;
  const dimensions = cursor.u32(`the dimensions of ${tensor}`);
  if (dimensions > MAX_DIMENSIONS) {
    throw cursor.fault(`${tensor} has ${dimensions} dimensions, wanted at most ${MAX_DIMENSIONS}`);
  }
  const sizes = Array.from({ length: dimensions }, () => cursor.u64(`the dimensions of ${tensor}`));
  if (sizes.includes(0n)) throw cursor.fault(`${tensor} has a dimension of 0, wanted at least 1`);
  const id = cursor.u32(`the type of ${tensor}`);
  const offset = cursor.u64(`the offset of ${tensor}`);
  const format = formatOfId(id);
  if (format === undefined) {
    throw cursor.fault(
      `${tensor} is ${describeId(id)}, wanted one of ${Object.keys(BLOCK_FORMATS).join(", ")}`,
      "choose another quantisation of the model",
    );
  }
  const { values, bytes } = BLOCK_FORMATS[format];
  const row = sizes[0] ?? 1n;
  if (row % BigInt(values) !== 0n) {
    throw cursor.fault(`${tensor} has rows of ${row} values, wanted a multiple of ${values} for blocks of ${format}`);
  }
  const byteLength = sizes.reduce((product, size) => product * size, 1n) / BigInt(values) * BigInt(bytes);
  if (byteLength > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw cursor.fault(`${tensor} has the dimensions [${sizes.join(", ")}], wanted a size below 2^53 bytes`);
  }
  return { name, format, shape: sizes.reverse().map(Number), byteLength: Number(byteLength), offset };
}

/**
 * Reads the entries of all tensors.
 *
 * @param cursor At the first entry.
 * @param count Number of entries.
 * @throws {FileError} If a name stands twice, a format cannot be read, or sizes do not fit blocks.
 */
export function readEntries(cursor: GgufCursor, count: number): GgufEntry[] {
  const names = new Set<string>();
  const entries: GgufEntry[] = [];
  for (let i = 0; i < count; i++) {
    const entry = readEntry(cursor, i);
    if (names.has(entry.name)) throw cursor.fault(`tensor ${quoteValue(entry.name)} stands twice, wanted once`);
    names.add(entry.name);
    entries.push(entry);
  }
  return entries;
}

/**
 * Checks that tensors lie in the file, at multiples of the alignment, and that none overlaps another.
 *
 * @param cursor Behind the last entry.
 * @param entries Entries of the header.
 * @param alignment Bytes that every offset is a multiple of.
 * @param fileBytes Size of the file.
 * @returns Tensors by name, in the order of the header.
 * @throws {FileError} If one does not; the message names the tensor, the found and the wanted.
 */
export function placeTensors(
  cursor: GgufCursor,
  entries: readonly GgufEntry[],
  alignment: number,
  fileBytes: number,
): Map<string, GgufTensor> {
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const { name, format, shape, byteLength, offset } of entries) {
    const tensor = `tensor ${quoteValue(name)}`;
    if (offset % BigInt(alignment) !== 0n) {
      throw cursor.fault(`${tensor} has the offset ${offset}, wanted a multiple of the alignment ${alignment}`);
    }
    const end = BigInt(dataStart) + offset + BigInt(byteLength);
    if (end > BigInt(fileBytes)) {
      throw cursor.fault(
        `${tensor} ends at byte ${end}, and the file has ${fileBytes}; its offset is wrong or the file was cut short`,
      );
    }
    tensors.set(name, { format, shape, byteLength, start: dataStart + Number(offset) });
  }
  const placed = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.byteLength - b.byteLength);
  for (let i = 1; i < placed.length; i++) {
    const [before, { start, byteLength }] = placed[i - 1]!;
    const [name, next] = placed[i]!;
    if (next.start < start + byteLength) {
      throw cursor.fault(
        `tensor ${quoteValue(name)} overlaps tensor ${quoteValue(before)}: it begins at byte ${next.start}, ` +
          `wanted at least ${start + byteLength}`,
      );
    }
  }
  return tensors;
}
