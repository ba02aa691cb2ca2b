import { countNonFinite, decodeFloats, type FloatDtype, toBf16, toF16 } from "./half.ts";

/** Types that weights are converted to. */
export type WeightDtype = "F32" | "F16" | "BF16";

/**
 * Converts stored floats to another type, each rounded once.
 *
 * @param from Type of the bytes.
 * @param bytes Whole elements, little-endian.
 * @param to Wanted type.
 * @returns The elements in that type, little-endian; the same bytes if it is theirs already.
 * @throws {RangeError} If a finite value is beyond the wanted type.
 */
export function convertFloats(
  from: FloatDtype,
  bytes: Uint8Array<ArrayBuffer>,
  to: WeightDtype,
): Uint8Array<ArrayBuffer> {
  if (from === to) return bytes;
  const values = decodeFloats(from, bytes);
  const array = to === "F32" ? Float32Array.from(values) : to === "F16" ? toF16(values) : toBf16(values);
  const converted = new Uint8Array(array.buffer);
  const beyond = countNonFinite(to, converted) - countNonFinite(from, bytes);
  if (beyond === 0) return converted;
  throw new RangeError(`${beyond} values are beyond the range of ${to}; choose BF16 or F32`);
}
