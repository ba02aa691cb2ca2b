/**
 * The header of a GGUF file, versions 2 and 3: metadata, then the places of the tensors.
 *
 * Checks all that https://github.com/ggml-org/ggml/blob/master/docs/gguf.md demands before any tensor is read. Lengths
 * are compared with the size of the file before anything is allocated, so what a header costs is a small multiple of
 * the bytes that it takes.
 *
 * @module
 */

import { quoteValue } from "./file_error.ts";
import { GgufCursor, MoreBytesWanted } from "./gguf_cursor.ts";
import { type GgufTensor, LEAST_ENTRY_BYTES, placeTensors, readEntries } from "./gguf_layout.ts";
import { type GgufValue, LEAST_PAIR_BYTES, readMetadata } from "./gguf_metadata.ts";

/** Checked content of a header. */
export interface GgufHeader {
  /** Version of the format: 2 or 3. */
  readonly version: number;
  /** Bytes that every tensor's offset is a multiple of. */
  readonly alignment: number;
  /** Metadata by key. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Tensors by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** "GGUF" as a little-endian word. */
const MAGIC = 0x46554747;

const DEFAULT_ALIGNMENT = 32;

function readVersion(cursor: GgufCursor): number {
  const magic = cursor.u32("the mark of the format");
  if (magic !== MAGIC) {
    throw cursor.fault(
      `it starts with ${quoteValue(`0x${magic.toString(16).padStart(8, "0")}`)}, wanted "GGUF" (0x46554747)`,
      "it is no GGUF file: check the path",
    );
  }
  const version = cursor.u32("the version");
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0 && version !== 0) {
    throw cursor.fault(
      "it is big-endian, wanted little-endian",
      "convert it with gguf-py's gguf_convert_endian or fetch the little-endian file",
    );
  }
  throw cursor.fault(
    `it has version ${version} of GGUF, wanted 2 or 3`,
    "convert the model again with a present llama.cpp",
  );
}

function readAlignment(cursor: GgufCursor, metadata: ReadonlyMap<string, GgufValue>): number {
  const found = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  const fits = typeof found === "number" && Number.isInteger(found) && found >= 8 && Number.isInteger(Math.log2(found));
  if (!fits) {
    const quoted = typeof found === "bigint" ? found : quoteValue(found);
    throw cursor.fault(`metadata "general.alignment" is ${quoted}, wanted a power of two from 8`);
  }
  return found;
}

/**
 * Parses and checks a header.
 *
 * @param path File, for messages.
 * @param bytes The front of the file, or all of it.
 * @param fileBytes Size of the whole file.
 * @returns The header, or null where it goes on behind `bytes`; never null for a whole file.
 * @throws {FileError} If anything breaks the format; the message names the key or tensor, the found and the wanted.
 */
export function parseGgufHeader(path: string, bytes: Uint8Array, fileBytes: number = bytes.length): GgufHeader | null {
  const cursor = new GgufCursor(path, bytes, fileBytes);
  try {
    const version = readVersion(cursor);
    const tensorCount = cursor.count("the number of tensors", LEAST_ENTRY_BYTES);
    const pairCount = cursor.count("the number of metadata pairs", LEAST_PAIR_BYTES);
    const metadata = readMetadata(cursor, pairCount);
    const entries = readEntries(cursor, tensorCount);
    const alignment = readAlignment(cursor, metadata);
    return { version, alignment, metadata, tensors: placeTensors(cursor, entries, alignment, fileBytes) };
  } catch (error) {
    if (error instanceof MoreBytesWanted) return null;
    throw error;
  }
}
