/**
 * Formats whose values another format holds exactly: blocks are rewritten, nothing is rounded.
 *
 * Q5_0 and IQ4_NL are a float16 scale times integers of a byte, which is Q8_0. Q3_K is a float16 scale times a six-bit
 * scale for each 16 values times an integer from -4 to 3, which is Q6_K.
 *
 * @module
 */

import { integerOfQ5_0 } from "./simple_blocks.ts";
import { integerOfQ3_K, scaleOfQ3_K } from "./super_blocks.ts";
import { STEPS } from "./table_blocks.ts";

/** Rewrites whole blocks of Q5_0 as Q8_0. */
export function repackQ5_0(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length / 22 * 34);
  for (let at = 0, to = 0; at < bytes.length; at += 22, to += 34) {
    out.set(bytes.subarray(at, at + 2), to);
    for (let j = 0; j < 32; j++) out[to + 2 + j] = integerOfQ5_0(bytes, at, j);
  }
  return out;
}

/** Rewrites whole blocks of IQ4_NL as Q8_0. */
export function repackIq4Nl(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length / 18 * 34);
  for (let at = 0, to = 0; at < bytes.length; at += 18, to += 34) {
    out.set(bytes.subarray(at, at + 2), to);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 2 + j]!;
      out[to + 2 + j] = STEPS[q & 15]!;
      out[to + 18 + j] = STEPS[q >> 4]!;
    }
  }
  return out;
}

/** Rewrites whole blocks of Q3_K as Q6_K. */
export function repackQ3_K(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length / 110 * 210);
  for (let at = 0, to = 0; at < bytes.length; at += 110, to += 210) {
    for (let i = 0; i < 256; i++) {
      const q = integerOfQ3_K(bytes, at, i) + 32;
      const half = i >> 7;
      out[to + 64 * half + (i & 63)]! |= (q & 15) << 4 * (i >> 6 & 1);
      out[to + 128 + 32 * half + (i & 31)]! |= q >> 4 << 2 * (i >> 5 & 3);
    }
    for (let part = 0; part < 16; part++) out[to + 192 + part] = scaleOfQ3_K(bytes, at, part);
    out.set(bytes.subarray(at + 108, at + 110), to + 208);
  }
  return out;
}
