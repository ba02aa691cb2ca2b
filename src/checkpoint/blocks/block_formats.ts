/**
 * The table of tensor formats of GGUF files: numbers of ggml, sizes of blocks, and how to widen them.
 *
 * Numbers and sizes by ggml's public definition (ggml.h, ggml-common.h).
 *
 * @module
 */

import { plain } from "./plain_values.ts";
import { widenQ4_0, widenQ4_1, widenQ5_0, widenQ5_1, widenQ8_0 } from "./simple_blocks.ts";
import { widenQ2_K, widenQ3_K, widenQ4_K, widenQ5_K, widenQ6_K } from "./super_blocks.ts";
import { widenIq4Nl, widenIq4Xs } from "./table_blocks.ts";

/**
 * Widens whole blocks to float32.
 *
 * @param bytes Blocks as in the file, at any address.
 * @param out As many values as the blocks hold; rounded once, to nearest.
 */
export type Widen = (bytes: Uint8Array, out: Float32Array) => void;

/** One tensor format. */
export interface BlockFormat {
  /** Number of the type in ggml. */
  readonly id: number;
  /** Values of a block; blocks never reach over the end of a row. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Widens whole blocks. */
  readonly widen: Widen;
}

const FORMATS = {
  F32: { id: 0, values: 1, bytes: 4, widen: plain("F32") },
  F16: { id: 1, values: 1, bytes: 2, widen: plain("F16") },
  Q4_0: { id: 2, values: 32, bytes: 18, widen: widenQ4_0 },
  Q4_1: { id: 3, values: 32, bytes: 20, widen: widenQ4_1 },
  Q5_0: { id: 6, values: 32, bytes: 22, widen: widenQ5_0 },
  Q5_1: { id: 7, values: 32, bytes: 24, widen: widenQ5_1 },
  Q8_0: { id: 8, values: 32, bytes: 34, widen: widenQ8_0 },
  Q2_K: { id: 10, values: 256, bytes: 84, widen: widenQ2_K },
  Q3_K: { id: 11, values: 256, bytes: 110, widen: widenQ3_K },
  Q4_K: { id: 12, values: 256, bytes: 144, widen: widenQ4_K },
  Q5_K: { id: 13, values: 256, bytes: 176, widen: widenQ5_K },
  Q6_K: { id: 14, values: 256, bytes: 210, widen: widenQ6_K },
  IQ4_NL: { id: 20, values: 32, bytes: 18, widen: widenIq4Nl },
  IQ4_XS: { id: 23, values: 256, bytes: 136, widen: widenIq4Xs },
  BF16: { id: 30, values: 1, bytes: 2, widen: plain("BF16") },
} as const satisfies Record<string, BlockFormat>;

/** Name of a tensor format that can be read. */
export type FormatName = keyof typeof FORMATS;

/** Formats that can be read, by name. */
export const BLOCK_FORMATS: Readonly<Record<FormatName, BlockFormat>> = FORMATS;

/** Names of types that ggml has and this project does not read, for messages. */
const UNREAD: Readonly<Record<number, string>> = {
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  21: "IQ3_S",
  22: "IQ2_S",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};

const BY_ID: ReadonlyMap<number, FormatName> = new Map(
  Object.entries(FORMATS).map(([name, { id }]) => [id, name as FormatName]),
);

/** The format with a number of ggml, if it can be read. */
export function formatOfId(id: number): FormatName | undefined {
  return BY_ID.get(id);
}

/** Name of any number of ggml, for messages. */
export function describeId(id: number): string {
  const name = formatOfId(id) ?? UNREAD[id];
  return name === undefined ? `type ${id}, which ggml does not have` : name;
}

/**
 * Widens whole blocks to float32.
 *
 * @param format Their format.
 * @param bytes The blocks.
 * @returns New array of their values.
 * @throws {RangeError} If the bytes are no whole number of blocks.
 */
export function widenBlocks(format: FormatName, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { values, bytes: size, widen } = BLOCK_FORMATS[format];
  if (bytes.length % size !== 0) {
    throw new RangeError(
      `Cannot widen ${bytes.length} bytes of ${format}: wanted a multiple of ${size} bytes; pass whole blocks`,
    );
  }
  const out = new Float32Array(bytes.length / size * values);
  widen(bytes, out);
  return out;
}
