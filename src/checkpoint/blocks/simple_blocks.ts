/**
 * Formats of 32 values with one float16 scale a block: Q4_0, Q5_0, Q8_0, and with an offset Q4_1, Q5_1.
 *
 * Layouts by ggml's public definition (ggml-common.h); `d` scales, `m` is added. Nibbles lie so that byte j holds the
 * values j and j + 16. All products are exact in float64, so a value is rounded once, on its way to float32.
 *
 * @module
 */

/** Values of a block. */
const VALUES = 32;

/** Q4_0: d, 16 bytes of nibbles; value = d (q - 8). */
export function widenQ4_0(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 18, to += VALUES) {
    const d = view.getFloat16(at, true);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 2 + j]!;
      out[to + j] = d * ((q & 15) - 8);
      out[to + j + 16] = d * ((q >> 4) - 8);
    }
  }
}

/** Q4_1: d, m, 16 bytes of nibbles; value = d q + m. */
export function widenQ4_1(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 20, to += VALUES) {
    const d = view.getFloat16(at, true);
    const m = view.getFloat16(at + 2, true);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 4 + j]!;
      out[to + j] = d * (q & 15) + m;
      out[to + j + 16] = d * (q >> 4) + m;
    }
  }
}

/** Integer of value `j` of the Q5_0 block at byte `at`: -16 to 15. */
export function integerOfQ5_0(bytes: Uint8Array, at: number, j: number): number {
  const low = bytes[at + 6 + (j & 15)]! >> 4 * (j >> 4) & 15;
  const fifth = bytes[at + 2 + (j >> 3)]! >> (j & 7) & 1;
  return (low | fifth << 4) - 16;
}

/** Q5_0: d, the fifth bits of all values as 32 bits, 16 bytes of nibbles; value = d (q - 16). */
export function widenQ5_0(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 22, to += VALUES) {
    const d = view.getFloat16(at, true);
    for (let j = 0; j < VALUES; j++) out[to + j] = d * integerOfQ5_0(bytes, at, j);
  }
}

/** Q5_1: d, m, the fifth bits, 16 bytes of nibbles; value = d q + m. */
export function widenQ5_1(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 24, to += VALUES) {
    const d = view.getFloat16(at, true);
    const m = view.getFloat16(at + 2, true);
    const high = view.getUint32(at + 4, true);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 8 + j]!;
      out[to + j] = d * (q & 15 | (high >>> j & 1) << 4) + m;
      out[to + j + 16] = d * (q >> 4 | (high >>> j + 16 & 1) << 4) + m;
    }
  }
}

/** Q8_0: d, 32 signed bytes; value = d q. */
export function widenQ8_0(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 34, to += VALUES) {
    const d = view.getFloat16(at, true);
    for (let j = 0; j < VALUES; j++) out[to + j] = d * view.getInt8(at + 2 + j);
  }
}
