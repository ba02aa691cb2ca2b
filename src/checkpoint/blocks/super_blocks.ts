/**
 * Formats of 256 values with small integer scales for parts of the block and one float16 scale for all: Q2_K to Q6_K.
 *
 * Layouts by ggml's public definition (ggml-common.h, ggml-quants.c). All products are exact in float64, so a value is
 * rounded once, on its way to float32.
 *
 * @module
 */

/** Values of a block. */
const VALUES = 256;

/**
 * Q2_K: 16 bytes of scale (low nibble) and offset (high nibble), 64 bytes of two-bit values, d, dmin;
 * value = d scale q - dmin offset, a scale for each 16 values.
 */
export function widenQ2_K(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 84, to += VALUES) {
    const d = view.getFloat16(at + 80, true);
    const dmin = view.getFloat16(at + 82, true);
    for (let part = 0; part < 16; part++) {
      const scales = bytes[at + part]!;
      const scale = d * (scales & 15);
      const offset = dmin * (scales >> 4);
      // Eight parts share 32 bytes: two of them side by side for each of four shifts.
      const from = at + 16 + 32 * (part >> 3) + 16 * (part & 1);
      const shift = part & 6;
      for (let j = 0; j < 16; j++) out[to + 16 * part + j] = scale * (bytes[from + j]! >> shift & 3) - offset;
    }
  }
}

/** Scale of part `part` (16 values) of the Q3_K block at byte `at`: -32 to 31. */
export function scaleOfQ3_K(bytes: Uint8Array, at: number, part: number): number {
  const low = bytes[at + 96 + (part & 7)]! >> 4 * (part >> 3) & 15;
  const high = bytes[at + 104 + (part & 3)]! >> 2 * (part >> 2) & 3;
  return (low | high << 4) - 32;
}

/** Integer of value `i` of the Q3_K block at byte `at`: -4 to 3. */
export function integerOfQ3_K(bytes: Uint8Array, at: number, i: number): number {
  const low = bytes[at + 32 + (i >> 7 << 5 | i & 31)]! >> (i >> 4 & 6) & 3;
  const third = bytes[at + (i & 31)]! >> (i >> 5) & 1;
  return (low | third << 2) - 4;
}

/**
 * Q3_K: 32 bytes of third bits, 64 bytes of lower two bits, 16 scales of six bits in 12 bytes, d;
 * value = d (scale - 32) (q - 4), a scale for each 16 values.
 */
export function widenQ3_K(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 110, to += VALUES) {
    const d = view.getFloat16(at + 108, true);
    for (let part = 0; part < 16; part++) {
      const scale = d * scaleOfQ3_K(bytes, at, part);
      for (let i = 16 * part; i < 16 * part + 16; i++) out[to + i] = scale * integerOfQ3_K(bytes, at, i);
    }
  }
}

/** Six-bit scale and offset number `part` of the eight in 12 bytes of Q4_K and Q5_K. */
function scaleAndOffset(bytes: Uint8Array, at: number, part: number): [scale: number, offset: number] {
  if (part < 4) return [bytes[at + part]! & 63, bytes[at + part + 4]! & 63];
  const low = bytes[at + part + 4]!;
  return [low & 15 | bytes[at + part - 4]! >> 6 << 4, low >> 4 | bytes[at + part]! >> 6 << 4];
}

/**
 * Q4_K: d, dmin, eight scales and offsets in 12 bytes, 128 bytes of nibbles (the low ones of 32 bytes, then the high);
 * value = d scale q - dmin offset, a scale for each 32 values.
 */
export function widenQ4_K(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 144, to += VALUES) {
    const d = view.getFloat16(at, true);
    const dmin = view.getFloat16(at + 2, true);
    for (let part = 0; part < 8; part++) {
      const [s, m] = scaleAndOffset(bytes, at + 4, part);
      const scale = d * s;
      const offset = dmin * m;
      const from = at + 16 + 32 * (part >> 1);
      const shift = 4 * (part & 1);
      for (let j = 0; j < 32; j++) out[to + 32 * part + j] = scale * (bytes[from + j]! >> shift & 15) - offset;
    }
  }
}

/** Q5_K: like Q4_K with 32 bytes of fifth bits before the nibbles, a bit of each byte for each part. */
export function widenQ5_K(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 176, to += VALUES) {
    const d = view.getFloat16(at, true);
    const dmin = view.getFloat16(at + 2, true);
    for (let part = 0; part < 8; part++) {
      const [s, m] = scaleAndOffset(bytes, at + 4, part);
      const scale = d * s;
      const offset = dmin * m;
      const from = at + 48 + 32 * (part >> 1);
      const shift = 4 * (part & 1);
      for (let j = 0; j < 32; j++) {
        const fifth = bytes[at + 16 + j]! >> part & 1;
        out[to + 32 * part + j] = scale * (bytes[from + j]! >> shift & 15 | fifth << 4) - offset;
      }
    }
  }
}

/**
 * Q6_K: 128 bytes of lower nibbles, 64 bytes of upper two bits, 16 signed scales, d;
 * value = d scale (q - 32), a scale for each 16 values.
 */
export function widenQ6_K(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 210, to += VALUES) {
    const d = view.getFloat16(at + 208, true);
    for (let part = 0; part < 16; part++) {
      const scale = d * view.getInt8(at + 192 + part);
      // Half a block is four rows of 32: nibbles of 64 bytes, low then high, and one pair of bits of 32 bytes each.
      const half = part >> 3;
      const row = part >> 1 & 3;
      const low = at + 64 * half + 32 * (row & 1) + 16 * (part & 1);
      const high = at + 128 + 32 * half + 16 * (part & 1);
      for (let j = 0; j < 16; j++) {
        const q = bytes[low + j]! >> 4 * (row >> 1) & 15 | (bytes[high + j]! >> 2 * row & 3) << 4;
        out[to + 16 * part + j] = scale * (q - 32);
      }
    }
  }
}
