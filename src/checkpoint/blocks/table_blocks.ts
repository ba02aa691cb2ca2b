/**
 * Formats whose four bits choose from a table of sixteen uneven steps: IQ4_NL (32 values) and IQ4_XS (256 values).
 *
 * Layouts and table by ggml's public definition (ggml-common.h).
 *
 * @module
 */

/** The steps: finer around zero, where most weights lie. */
export const STEPS: Int8Array = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Writes 32 values: byte j holds the values j and j + 16. */
function widenSteps(bytes: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const q = bytes[at + j]!;
    out[to + j] = scale * STEPS[q & 15]!;
    out[to + j + 16] = scale * STEPS[q >> 4]!;
  }
}

/** IQ4_NL: d as float16, 16 bytes of nibbles; value = d step(q). */
export function widenIq4Nl(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 18, to += 32) {
    widenSteps(bytes, at + 2, view.getFloat16(at, true), out, to);
  }
}

/**
 * IQ4_XS: d as float16, the upper two bits of eight scales, their lower four bits, 128 bytes of nibbles;
 * value = d (scale - 32) step(q), a scale for each 32 values.
 */
export function widenIq4Xs(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, to = 0; to < out.length; at += 136, to += 256) {
    const d = view.getFloat16(at, true);
    const high = view.getUint16(at + 2, true);
    for (let part = 0; part < 8; part++) {
      const low = bytes[at + 4 + (part >> 1)]! >> 4 * (part & 1) & 15;
      const scale = (low | (high >> 2 * part & 3) << 4) - 32;
      widenSteps(bytes, at + 8 + 16 * part, d * scale, out, to + 32 * part);
    }
  }
}
