/**
 * Twin of packed weights: values of blocks as a GGUF file stores them, in float64, element by element from the definition
 * of each format (`ggml-quants.c`).
 *
 * @module
 */

/** Value of a half of two bytes. */
function half(block: Uint8Array, at: number): number {
  return new DataView(block.buffer, block.byteOffset, block.byteLength).getFloat16(at, true);
}

/** Bits `shift` to `shift + count - 1` of a byte. */
function bits(byte: number, shift: number, count: number): number {
  return (byte >> shift) % (1 << count);
}

/** Sub-scale and sub-minimum of a block of Q4_K: twelve bytes hold eight of six bits each. */
function subScales(block: Uint8Array, j: number): [number, number] {
  const s = block.subarray(4, 16);
  if (j < 4) return [bits(s[j]!, 0, 6), bits(s[j + 4]!, 0, 6)];
  return [bits(s[j + 4]!, 0, 4) + 16 * bits(s[j - 4]!, 6, 2), bits(s[j + 4]!, 4, 4) + 16 * bits(s[j]!, 6, 2)];
}

interface Format {
  /** Values of a block. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Where halves stand that scale the block. */
  readonly scales: readonly number[];
  /** Element i of a block. */
  readonly element: (block: Uint8Array, i: number) => number;
}

/** Formats by the dtype of a tensor that holds them. */
export const PACKED_FORMATS = {
  q4_0: {
    values: 32,
    bytes: 18,
    scales: [0],
    element: (block, i) => half(block, 0) * (bits(block[2 + i % 16]!, i < 16 ? 0 : 4, 4) - 8),
  },
  q4_1: {
    values: 32,
    bytes: 20,
    scales: [0, 2],
    element: (block, i) => half(block, 0) * bits(block[4 + i % 16]!, i < 16 ? 0 : 4, 4) + half(block, 2),
  },
  q8_0: {
    values: 32,
    bytes: 34,
    scales: [0],
    element: (block, i) => half(block, 0) * new Int8Array(block.buffer, block.byteOffset)[2 + i]!,
  },
  q4_k: {
    values: 256,
    bytes: 144,
    scales: [0, 2],
    element: (block, i) => {
      const part = Math.floor(i / 32);
      const [scale, minimum] = subScales(block, part);
      const code = bits(block[16 + 32 * Math.floor(part / 2) + i % 32]!, part % 2 === 0 ? 0 : 4, 4);
      return half(block, 0) * scale * code - half(block, 2) * minimum;
    },
  },
  q6_k: {
    values: 256,
    bytes: 210,
    scales: [208],
    element: (block, i) => {
      const side = Math.floor(i / 128);
      const run = Math.floor(i / 32) % 4;
      const low = bits(block[64 * side + 32 * (run % 2) + i % 32]!, run < 2 ? 0 : 4, 4);
      const high = bits(block[128 + 32 * side + i % 32]!, 2 * run, 2);
      const scale = new Int8Array(block.buffer, block.byteOffset)[192 + Math.floor(i / 16)]!;
      return half(block, 208) * scale * (low + 16 * high - 32);
    },
  },
} as const satisfies Record<string, Format>;

/** Dtype of a packed tensor. */
export type PackedName = keyof typeof PACKED_FORMATS;

/** Names of all formats. */
export const PACKED_NAMES = Object.keys(PACKED_FORMATS) as PackedName[];

/** Values of whole blocks. */
export function unpacked(name: PackedName, bytes: Uint8Array): Float64Array {
  const { values, bytes: size, element }: Format = PACKED_FORMATS[name];
  return Float64Array.from({ length: bytes.length / size * values }, (_, i) => {
    const block = Math.floor(i / values);
    return element(bytes.slice(block * size, (block + 1) * size), i % values);
  });
}

/** Blocks of random bytes whose scales are random too, between a tenth and one, so that no value is infinite. */
export function randomBlocks(name: PackedName, values: number, uniform: () => number): Uint8Array<ArrayBuffer> {
  const { values: perBlock, bytes: size, scales }: Format = PACKED_FORMATS[name];
  const out = Uint8Array.from({ length: values / perBlock * size }, () => Math.floor(256 * uniform()));
  const view = new DataView(out.buffer);
  for (let at = 0; at < out.length; at += size) {
    for (const scale of scales) view.setFloat16(at + scale, (uniform() < 0.5 ? -1 : 1) * (0.1 + 0.9 * uniform()), true);
  }
  return out;
}
