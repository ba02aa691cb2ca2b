/**
 * Block-quantised weights as kernels read them: groups of 256 values of whole 32-bit words, the codes of four consecutive
 * values in one word, and nothing lost or rounded.
 *
 * A group is a header of scales, then the codes. Four-bit codes fill a word with 8 values: byte b holds value b in its low
 * half and value 4 + b in its high half. The high bits of Q6_K fill a word with 16 values: bits 2t of byte b are those of
 * value 4t + b.
 *
 * | format | header, in words | codes, in words | bytes of a group |
 * | ------ | ---------------- | --------------- | ---------------- |
 * | Q4_0   | 8 f16 scales: 4 | 32 | 144, as in the file |
 * | Q4_1   | 8 pairs of f16 scale and minimum: 8 | 32 | 160, as in the file |
 * | Q8_0   | 8 f16 scales: 4 | 64 | 272, as in the file |
 * | Q4_K   | f16 scale and minimum: 1; low 4 bits of scale and minimum of 8 sub-blocks: 2; their high 2 bits: 1 | 32 | 144, as in the file |
 * | Q6_K   | 16 scales of 8 bits: 4; f16 scale: 1; unused: 1 | 32 and 16 | 216, 6 more than in the file |
 *
 * @module
 */

import { type PackedFormat, release } from "./weight_source.ts";

/** Sizes of a format. */
export interface DeviceBlockSizes {
  /** Values of a block in the file; rows are whole blocks. */
  readonly values: number;
  /** Bytes of a block in the file. */
  readonly fileBytes: number;
  /** Bytes of a group of {@linkcode GROUP_VALUES} values on the GPU. */
  readonly groupBytes: number;
  /** Bytes of a block in the file at which its f16 scales stand. */
  readonly scales: readonly number[];
}

/** Values of a group on the GPU; the last one of a tensor may be filled up with zeros. */
export const GROUP_VALUES = 256;

/** Sizes by format. */
export const DEVICE_BLOCKS: Readonly<Record<PackedFormat, DeviceBlockSizes>> = {
  Q4_0: { values: 32, fileBytes: 18, groupBytes: 144, scales: [0] },
  Q4_1: { values: 32, fileBytes: 20, groupBytes: 160, scales: [0, 2] },
  Q8_0: { values: 32, fileBytes: 34, groupBytes: 272, scales: [0] },
  Q4_K: { values: 256, fileBytes: 144, groupBytes: 144, scales: [0, 2] },
  Q6_K: { values: 256, fileBytes: 210, groupBytes: 216, scales: [208] },
};

/** Tells whether a stored type is one of {@linkcode PackedFormat}. */
export function isPackedFormat(dtype: string): dtype is PackedFormat {
  return Object.hasOwn(DEVICE_BLOCKS, dtype);
}

/** Bytes that `elements` values take on the GPU. */
export function deviceBytes(format: PackedFormat, elements: number): number {
  return Math.ceil(elements / GROUP_VALUES) * DEVICE_BLOCKS[format].groupBytes;
}

/**
 * Counts scales that are NaN or infinite, without widening anything.
 *
 * @param bytes Whole blocks as the file has them, at any address.
 */
export function countNonFiniteScales(format: PackedFormat, bytes: Uint8Array): number {
  const { fileBytes, scales } = DEVICE_BLOCKS[format];
  let count = 0;
  for (const scale of scales) {
    // The exponent's five bits stand in the upper of the two bytes.
    for (let at = scale + 1; at < bytes.length; at += fileBytes) if ((bytes[at]! & 0x7c) === 0x7c) count++;
  }
  return count;
}

/** Low and high half bytes of a word. */
const LOW = 0x0f0f0f0f;
const HIGH = 0xf0f0f0f0;

/** Every second bit pair of a word: one of each byte. */
const PAIRS = 0x03030303;

/** Where a block is read and a group is written, in 16-bit halves of the file and 32-bit words of the group. */
interface Place {
  readonly file: Uint16Array;
  readonly from: number;
  readonly words: Uint32Array;
  readonly group: number;
}

/** Word `i` of the file after half `from`; blocks start at any multiple of two bytes. */
function wordAt(file: Uint16Array, from: number, i: number): number {
  return file[from + 2 * i]! | (file[from + 2 * i + 1]! << 16);
}

/** Writes four words of four-bit codes of 32 values from eight words that hold four codes each, at bit `shift` of a byte. */
function packHalves(file: Uint16Array, from: number, shift: 0 | 4, words: Uint32Array, to: number): void {
  for (let i = 0; i < 4; i++) {
    const first = (wordAt(file, from, 2 * i) >>> shift) & LOW;
    const second = shift === 0 ? wordAt(file, from, 2 * i + 1) << 4 : wordAt(file, from, 2 * i + 1);
    words[to + i] = first | (second & HIGH);
  }
}

/** Writes the codes of a block of 32 values whose four words hold value j low and value 16 + j high in byte j. */
function packSplit(file: Uint16Array, from: number, words: Uint32Array, to: number): void {
  const [a, b, c, d] = [wordAt(file, from, 0), wordAt(file, from, 1), wordAt(file, from, 2), wordAt(file, from, 3)];
  words[to] = (a & LOW) | ((b & LOW) << 4);
  words[to + 1] = (c & LOW) | ((d & LOW) << 4);
  words[to + 2] = ((a >>> 4) & LOW) | (b & HIGH);
  words[to + 3] = ((c >>> 4) & LOW) | (d & HIGH);
}

/** Sub-scale and sub-minimum `j` of Q4_K: 6 bits each in 12 bytes (`get_scale_min_k4` of ggml's `ggml-quants.c`). */
function subScale(file: Uint16Array, from: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number): number => (file[from + (i >> 1)]! >> (8 * (i & 1))) & 255;
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** Packs one block of a file; blocks of 32 values fill an eighth of a group. */
const PACK: Readonly<Record<PackedFormat, (place: Place, block: number) => void>> = {
  Q4_0({ file, from, words, group }, block) {
    words[group + (block >> 1)]! |= file[from]! << (16 * (block & 1));
    packSplit(file, from + 1, words, group + 4 + 4 * block);
  },
  Q4_1({ file, from, words, group }, block) {
    words[group + block] = wordAt(file, from, 0);
    packSplit(file, from + 2, words, group + 8 + 4 * block);
  },
  Q8_0({ file, from, words, group }, block) {
    words[group + (block >> 1)]! |= file[from]! << (16 * (block & 1));
    for (let i = 0; i < 8; i++) words[group + 4 + 8 * block + i] = wordAt(file, from + 1, i);
  },
  Q4_K({ file, from, words, group }) {
    words[group] = wordAt(file, from, 0);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = subScale(file, from + 2, j);
      words[group + 1 + (j >> 2)]! |= ((scale & 15) | ((minimum & 15) << 4)) << (8 * (j & 3));
      words[group + 3]! |= ((scale >> 4) | ((minimum >> 4) << 2)) << (4 * j);
      packHalves(file, from + 8 + 16 * (j >> 1), j & 1 ? 4 : 0, words, group + 4 + 4 * j);
    }
  },
  Q6_K({ file, from, words, group }) {
    for (let i = 0; i < 4; i++) words[group + i] = wordAt(file, from + 96, i);
    words[group + 4] = file[from + 104]!;
    for (let run = 0; run < 8; run++) {
      const [half, quarter] = [run >> 2, run & 3];
      packHalves(file, from + 32 * half + 16 * (quarter & 1), quarter & 2 ? 4 : 0, words, group + 6 + 4 * run);
      for (let i = 0; i < 8; i++) {
        const bits = (wordAt(file, from + 64 + 16 * half, i) >>> (2 * quarter)) & PAIRS;
        words[group + 38 + 2 * run + (i >> 2)]! |= bits << (2 * (i & 3));
      }
    }
  },
};

/**
 * Rearranges blocks as a GGUF file stores them into groups as kernels read them.
 *
 * A tensor may be converted in parts if each but the last is a multiple of 256 values; the results are written one after
 * the other.
 *
 * @param format Block format.
 * @param bytes Whole blocks, at any address.
 * @returns Whole groups; a last group that is not full ends with zeros.
 * @throws {RangeError} If the bytes are no whole number of blocks.
 */
export function toDeviceBlocks(format: PackedFormat, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { values, fileBytes } = DEVICE_BLOCKS[format];
  if (bytes.length % fileBytes !== 0) {
    throw new RangeError(
      `Cannot pack ${bytes.length} bytes of ${format}: wanted a multiple of ${fileBytes} bytes; pass whole blocks`,
    );
  }
  const whole = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const file = new Uint16Array(whole.buffer, whole.byteOffset, whole.length / 2);
  const blocks = bytes.length / fileBytes;
  const perGroup = GROUP_VALUES / values;
  const words = new Uint32Array(deviceBytes(format, blocks * values) / 4);
  const groupWords = DEVICE_BLOCKS[format].groupBytes / 4;
  for (let block = 0; block < blocks; block++) {
    const place = { file, from: block * fileBytes / 2, words, group: Math.floor(block / perGroup) * groupWords };
    PACK[format](place, block % perGroup);
  }
  return new Uint8Array(words.buffer);
}

/**
 * Rearranges a tensor that arrives in parts of any size, such as the chunks of a checkpoint.
 *
 * @param format Block format.
 * @param chunks The tensor's bytes as the file has them, in order.
 * @returns Bytes to write one after the other.
 * @throws {RangeError} If the bytes in all are no whole number of blocks.
 */
export async function* deviceChunks(
  format: PackedFormat,
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { values, fileBytes } = DEVICE_BLOCKS[format];
  const unit = GROUP_VALUES / values * fileBytes;
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    release(chunk);
    const whole = joined.length - joined.length % unit;
    if (whole > 0) yield toDeviceBlocks(format, joined.subarray(0, whole));
    rest = joined.slice(whole);
    release(joined);
  }
  if (rest.length > 0) yield toDeviceBlocks(format, rest);
}
