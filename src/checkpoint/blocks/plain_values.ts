/**
 * F32, F16 and BF16 as blocks of one value: what the other formats are widened beside.
 *
 * @module
 */

import { decodeFloats, type FloatDtype } from "../half.ts";

/**
 * Widens stored floats.
 *
 * @param dtype Their type.
 * @returns The function that widens whole elements; exact.
 */
export function plain(dtype: Exclude<FloatDtype, "F64">): (bytes: Uint8Array, out: Float32Array) => void {
  return (bytes, out) => out.set(decodeFloats(dtype, bytes));
}
