/**
 * The metadata of a GGUF file: keys with typed values.
 *
 * @module
 */

import { quoteValue } from "./file_error.ts";
import type { GgufCursor } from "./gguf_cursor.ts";

/** Numbers that stand together in the file, in the type in which they are stored; flags are bytes of 0 and 1. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | BigUint64Array
  | BigInt64Array
  | Float64Array;

/** A value of the metadata; integers of 64 bits are numbers where they are below 2^53. */
export type GgufValue = number | bigint | boolean | string | GgufNumbers | readonly string[] | readonly GgufValue[];

/** Lists in lists: deeper ones are refused, real files have none. */
const MAX_DEPTH = 4;

/** Longest key that the format allows, in bytes. */
const MAX_KEY_BYTES = 65535;

/** Shortest pair: length of the key, type, and a value of a byte. */
export const LEAST_PAIR_BYTES = 8 + 4 + 1;

const STRING = 8;
const ARRAY = 9;
const BOOL = 7;

/** Bytes of an element of a list and how its bytes become numbers, by number of the value type. */
const NUMBERS: Readonly<Record<number, { bytes: number; of: (buffer: ArrayBuffer) => GgufNumbers }>> = {
  0: { bytes: 1, of: (buffer) => new Uint8Array(buffer) },
  1: { bytes: 1, of: (buffer) => new Int8Array(buffer) },
  2: { bytes: 2, of: (buffer) => new Uint16Array(buffer) },
  3: { bytes: 2, of: (buffer) => new Int16Array(buffer) },
  4: { bytes: 4, of: (buffer) => new Uint32Array(buffer) },
  5: { bytes: 4, of: (buffer) => new Int32Array(buffer) },
  6: { bytes: 4, of: (buffer) => new Float32Array(buffer) },
  7: { bytes: 1, of: (buffer) => new Uint8Array(buffer) },
  10: { bytes: 8, of: (buffer) => new BigUint64Array(buffer) },
  11: { bytes: 8, of: (buffer) => new BigInt64Array(buffer) },
  12: { bytes: 8, of: (buffer) => new Float64Array(buffer) },
};

/** An integer of 64 bits as a number where nothing is lost. */
function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readFlag(cursor: GgufCursor, what: string): boolean {
  const value = cursor.u8(what);
  if (value > 1) throw cursor.fault(`${what} is ${value}, wanted a flag of 0 or 1`);
  return value === 1;
}

function readList(cursor: GgufCursor, what: string, depth: number): GgufValue {
  if (depth === MAX_DEPTH) throw cursor.fault(`${what} nests more than ${MAX_DEPTH} lists, wanted fewer`);
  const type = cursor.u32(what);
  const size = `the number of elements of ${what}`;
  if (type === STRING) {
    const texts = new Array<string>(cursor.count(size, 8));
    const element = `an element of ${what}`;
    for (let i = 0; i < texts.length; i++) texts[i] = cursor.text(element);
    return texts;
  }
  if (type === ARRAY) {
    const lists = new Array<GgufValue>(cursor.count(size, 4 + 8));
    for (let i = 0; i < lists.length; i++) lists[i] = readList(cursor, what, depth + 1);
    return lists;
  }
  const numbers = NUMBERS[type];
  if (numbers === undefined) throw cursor.fault(`${what} is a list of type ${type}, wanted 0 to 12`);
  const bytes = cursor.copy(cursor.count(size, numbers.bytes) * numbers.bytes, what);
  const wrong = type === BOOL ? bytes.find((value) => value > 1) : undefined;
  if (wrong !== undefined) throw cursor.fault(`${what} holds ${wrong}, wanted flags of 0 or 1`);
  return numbers.of(bytes.buffer);
}

function readValue(cursor: GgufCursor, type: number, what: string): GgufValue {
  switch (type) {
    case 0:
      return cursor.u8(what);
    case 1:
      return cursor.i8(what);
    case 2:
      return cursor.u16(what);
    case 3:
      return cursor.i16(what);
    case 4:
      return cursor.u32(what);
    case 5:
      return cursor.i32(what);
    case 6:
      return cursor.f32(what);
    case BOOL:
      return readFlag(cursor, what);
    case STRING:
      return cursor.text(what);
    case ARRAY:
      return readList(cursor, what, 0);
    case 10:
      return narrowed(cursor.u64(what));
    case 11:
      return narrowed(cursor.i64(what));
    case 12:
      return cursor.f64(what);
    default:
      throw cursor.fault(`${what} has type ${type}, wanted 0 to 12`);
  }
}

/**
 * Reads all pairs of the metadata.
 *
 * @param cursor At the first pair.
 * @param count Number of pairs.
 * @returns Values by key, in the order of the file.
 * @throws {FileError} If a key stands twice, a type is unknown, or a length is beyond the file.
 */
export function readMetadata(cursor: GgufCursor, count: number): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.text(`key ${i} of the metadata`, MAX_KEY_BYTES);
    const name = `metadata ${quoteValue(key)}`;
    if (metadata.has(key)) throw cursor.fault(`${name} stands twice, wanted once`);
    metadata.set(key, readValue(cursor, cursor.u32(`the type of ${name}`), name));
  }
  return metadata;
}

/**
 * The metadata as plain data, as a tokenizer's reader takes it: lists of numbers become arrays, but for lists of bytes.
 *
 * @param metadata Pairs of a file.
 * @returns New object without a prototype, so that any key is just a key.
 */
export function plainMetadata(metadata: ReadonlyMap<string, GgufValue>): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, value] of metadata) {
    const isList = ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT > 1;
    plain[key] = isList ? Array.from<number | bigint>(value as Iterable<number | bigint>) : value;
  }
  return plain;
}
