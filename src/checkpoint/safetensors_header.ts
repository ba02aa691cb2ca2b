/**
 * The header of a safetensors file: eight bytes of length, JSON, then the bytes of the tensors without gaps.
 *
 * Checks all that https://github.com/huggingface/safetensors#format demands before any tensor is read.
 *
 * @module
 */

import { FileError, quoteValue } from "./file_error.ts";
import { repeatedKey } from "./json_keys.ts";

/** Element type of a stored tensor, by its name in the file; those of the format that take whole bytes. */
export type SafetensorsDtype =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "F64"
  | "I64"
  | "U64"
  | "C64";

/** Bytes of one element. */
const DTYPE_BYTES: Record<SafetensorsDtype, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
};

/** What is known of a stored tensor without reading it. */
export interface TensorInfo {
  /** Element type as stored. */
  readonly dtype: SafetensorsDtype;
  /** Sizes, row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Size of the tensor in bytes. */
  readonly byteLength: number;
}

/** A tensor and its place in the file. */
export interface TensorEntry extends TensorInfo {
  /** First byte of the tensor, counted from the start of the file. */
  readonly start: number;
}

/** Checked content of a header. */
export interface SafetensorsHeader {
  /** Tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Free text pairs of the file. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes in front of the header that hold its length. */
export const LENGTH_BYTES = 8;

/** Largest header that the format allows, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

const AGAIN = "fetch or write the file again";

/**
 * Size of one element.
 *
 * @param dtype Element type.
 * @returns Bytes.
 */
export function dtypeBytes(dtype: SafetensorsDtype): number {
  return DTYPE_BYTES[dtype];
}

/**
 * Reads and checks the length of the header.
 *
 * @param path File, for messages.
 * @param prefix First bytes of the file, 8 where it has as many.
 * @param fileBytes Size of the whole file.
 * @returns Length of the JSON text in bytes.
 * @throws {FileError} If the file is too short or the length is beyond the file or the limit of the format.
 */
export function parseHeaderLength(path: string, prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < LENGTH_BYTES || fileBytes < LENGTH_BYTES) {
    throw new FileError(
      path,
      `Cannot read ${path}: found ${fileBytes} bytes, wanted at least the ${LENGTH_BYTES} that hold the header's ` +
        `length; the file is truncated: ${AGAIN}`,
    );
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new FileError(
      path,
      `Cannot read ${path}: its header claims ${length} bytes, wanted at most ${MAX_HEADER_BYTES}; ` +
        `it is no safetensors file or damaged: ${AGAIN}`,
    );
  }
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    throw new FileError(
      path,
      `Cannot read ${path}: its header claims ${length} bytes, but the file holds ${fileBytes} in all; ` +
        `the file is truncated: ${AGAIN}`,
    );
  }
  return Number(length);
}

function parseObject(path: string, json: Uint8Array): Record<string, unknown> {
  if (json[0] !== 0x7b) {
    throw new FileError(
      path,
      `Cannot read ${path}: its header starts with byte ${json[0] ?? "none"}, wanted "{" (123); ` +
        `it is no safetensors file: ${AGAIN}`,
    );
  }
  let text: string;
  let value: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(path, `Cannot read ${path}: its header is no JSON (${detail}); ${AGAIN}`, { cause });
  }
  const twice = repeatedKey(text);
  if (twice !== null) {
    throw new FileError(
      path,
      `Cannot read ${path}: its header names ${quoteValue(twice)} twice, wanted every name once; write the file again`,
    );
  }
  return value;
}

function parseMetadata(path: string, value: unknown): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  const pairs: [string, unknown][] = isMap ? Object.entries(value) : [["__metadata__", value]];
  for (const [key, text] of pairs) {
    if (typeof text !== "string") {
      throw new FileError(
        path,
        `Cannot read ${path}: metadata ${quoteValue(key)} is ${quoteValue(text)}, wanted a map from text to text; ` +
          `write the file again`,
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Bytes that a shape takes, or null where the number is too large to count exactly. */
function shapeBytes(dtype: SafetensorsDtype, shape: readonly number[]): number | null {
  const bytes = shape.reduce((product, size) => product * BigInt(size), BigInt(DTYPE_BYTES[dtype]));
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : null;
}

/** One tensor's entry, checked on its own; `begin` and `end` count from the first tensor byte. */
function parseEntry(path: string, name: string, value: unknown): TensorInfo & { name: string; begin: number } {
  const fault = (found: string, wanted: string): FileError =>
    new FileError(path, `Cannot read ${path}: tensor ${quoteValue(name)} has ${found}, wanted ${wanted}; ${AGAIN}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fault(`the entry ${quoteValue(value)}`, "an object with dtype, shape and data_offsets");
  }
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw fault(`the dtype ${quoteValue(dtype)}`, `one of ${Object.keys(DTYPE_BYTES).join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw fault(`the shape ${quoteValue(shape)}`, "a list of whole numbers from 0");
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[0] > offsets[1]) {
    throw fault(`the data_offsets ${quoteValue(offsets)}`, "[begin, end] with 0 <= begin <= end");
  }
  const known = dtype as SafetensorsDtype;
  const byteLength = shapeBytes(known, shape);
  if (byteLength === null) throw fault(`the shape ${quoteValue(shape)}`, `a size below 2^53 bytes as ${dtype}`);
  const [begin, end] = offsets as [number, number];
  if (end - begin !== byteLength) {
    throw fault(
      `${end - begin} bytes (data_offsets [${begin}, ${end}])`,
      `${byteLength} for the shape ${quoteValue(shape)} as ${dtype}`,
    );
  }
  return { name, dtype: known, shape, byteLength, begin };
}

/**
 * Parses the JSON of a header and checks that its tensors fill the file exactly.
 *
 * @param path File, for messages.
 * @param json The header's bytes, without the eight of the length.
 * @param fileBytes Size of the whole file.
 * @returns Tensors with their places, and metadata.
 * @throws {FileError} If anything breaks the format; the message names the tensor, the found and the wanted.
 */
export function parseHeader(path: string, json: Uint8Array, fileBytes: number): SafetensorsHeader {
  const entries = new Map(Object.entries(parseObject(path, json)));
  const metadata = parseMetadata(path, entries.get("__metadata__"));
  entries.delete("__metadata__");
  const found = [...entries].map(([name, value]) => parseEntry(path, name, value));
  found.sort((a, b) => a.begin - b.begin || a.byteLength - b.byteLength);
  const dataStart = LENGTH_BYTES + json.length;
  const tensors = new Map<string, TensorEntry>();
  let end = 0;
  let before: string | null = null;
  for (const { name, dtype, shape, byteLength, begin } of found) {
    if (begin !== end) {
      const kind = begin < end ? "overlaps" : "leaves a gap behind";
      const where = before === null ? "the start of the data" : `tensor ${quoteValue(before)}`;
      throw new FileError(
        path,
        `Cannot read ${path}: tensor ${quoteValue(name)} ${kind} ${where}: it begins at byte ${begin} of the data, ` +
          `wanted ${end}; ${AGAIN}`,
      );
    }
    tensors.set(name, { dtype, shape, byteLength, start: dataStart + begin });
    end = begin + byteLength;
    before = name;
  }
  if (dataStart + end !== fileBytes) {
    const kind = dataStart + end > fileBytes ? "the file is truncated" : "bytes follow that belong to no tensor";
    throw new FileError(
      path,
      `Cannot read ${path}: the file holds ${fileBytes} bytes, its header wants ${dataStart + end}; ${kind}: ${AGAIN}`,
    );
  }
  return { tensors, metadata };
}
