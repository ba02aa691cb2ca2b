/**
 * Stored floating point types (F64, F32, F16, BF16) to numbers and back, by bits.
 *
 * All conversions round once, to nearest, ties to even.
 *
 * @module
 */

/** Floating point types of a safetensors file that a model may be stored in. */
export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

/** Bytes of one element of each stored floating point type. */
const FLOAT_BYTES: Record<FloatDtype, number> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/**
 * Tells whether a stored type is one of {@linkcode FloatDtype}.
 *
 * @param dtype Name of a safetensors type.
 * @returns True for F64, F32, F16 and BF16.
 */
export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return Object.hasOwn(FLOAT_BYTES, dtype);
}

/**
 * Widens bfloat16 to float32, which holds every bfloat16 exactly.
 *
 * @param bits bfloat16 values as 16-bit patterns.
 * @returns The values, same length.
 */
export function bf16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

/**
 * Rounds numbers to bfloat16.
 *
 * A number that float32 cannot hold is first rounded to odd (towards zero, last bit set when inexact), which makes the
 * second rounding the only one that counts (Boldo and Melquiond 2008).
 *
 * @param values Numbers in any precision up to float64.
 * @returns bfloat16 bit patterns, same length; NaN stays NaN, overflow becomes infinity.
 */
export function toBf16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const single = new Float32Array(1);
  const word = new Uint32Array(single.buffer);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    single[0] = value;
    let bits = word[0]!;
    if (Number.isNaN(value)) {
      // Dropping the low bits of a NaN could leave infinity, so the quiet bit is set.
      out[i] = (bits >>> 16) | 0x40;
      continue;
    }
    if (single[0] !== value) {
      if (Math.abs(single[0]) > Math.abs(value)) bits -= 1;
      bits |= 1;
    }
    out[i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return out;
}

/**
 * Widens float16 to float32, which holds every float16 exactly.
 *
 * @param bits float16 values as 16-bit patterns.
 * @returns The values, same length.
 */
export function f16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}

/**
 * Rounds numbers to float16.
 *
 * @param values Numbers in any precision up to float64.
 * @returns float16 bit patterns, same length; NaN stays NaN, overflow becomes infinity.
 */
export function toF16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return new Uint16Array(Float16Array.from(values).buffer);
}

/** The same bytes at an address that a typed array accepts. */
function aligned(dtype: FloatDtype, bytes: Uint8Array): { buffer: ArrayBufferLike; offset: number; length: number } {
  const size = FLOAT_BYTES[dtype];
  if (bytes.length % size !== 0) {
    throw new RangeError(
      `Cannot decode ${bytes.length} bytes as ${dtype}: wanted a multiple of ${size} bytes; pass whole elements`,
    );
  }
  const whole = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return { buffer: whole.buffer, offset: whole.byteOffset, length: bytes.length / size };
}

/**
 * Decodes stored little-endian floats; half types are widened to float32, exactly.
 *
 * @param dtype Stored type.
 * @param bytes Whole elements, at any address.
 * @returns New array: float64 for F64, float32 for the others.
 * @throws {RangeError} If the bytes are no whole number of elements.
 */
export function decodeFloats(
  dtype: FloatDtype,
  bytes: Uint8Array,
): Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  const { buffer, offset, length } = aligned(dtype, bytes);
  if (dtype === "F64") return new Float64Array(new Float64Array(buffer, offset, length));
  if (dtype === "F32") return new Float32Array(new Float32Array(buffer, offset, length));
  const bits = new Uint16Array(buffer, offset, length);
  return dtype === "F16" ? f16ToF32(bits) : bf16ToF32(bits);
}

/** Counts the words whose exponent bits are all set, which is how infinity and NaN are stored. */
function countExponent(words: Uint16Array | Uint32Array, first: number, step: number, mask: number): number {
  let count = 0;
  for (let i = first; i < words.length; i += step) if ((words[i]! & mask) === mask) count++;
  return count;
}

/**
 * Whether exponent bits are all set in a word of one f32 or two halves: with one more in their lowest place they carry
 * into the sign, so that sums of many words can be joined before one is looked at. A model has billions of values.
 *
 * @param exponents Exponent bits of the values of a word; `ones` has the lowest of each.
 */
function anyExponent(words: Int32Array, { exponents, ones }: { exponents: number; ones: number }): boolean {
  let carried = 0;
  for (let i = 0; i < words.length; i++) carried |= (words[i]! & exponents) + ones;
  return (carried & (exponents + ones)) !== 0;
}

/** Exponent bits of the values of a word, and the lowest of each. */
const EXPONENTS = {
  F32: { exponents: 0x7f800000, ones: 0x00800000 },
  F16: { exponents: 0x7c007c00, ones: 0x04000400 },
  BF16: { exponents: 0x7f807f80, ones: 0x00800080 },
} as const;

/**
 * Counts infinities and NaNs by their bits, without widening anything.
 *
 * @param dtype Stored type.
 * @param bytes Whole little-endian elements, at any address.
 * @returns Number of elements that are not finite.
 * @throws {RangeError} If the bytes are no whole number of elements.
 */
export function countNonFinite(dtype: FloatDtype, bytes: Uint8Array): number {
  const { buffer, offset, length } = aligned(dtype, bytes);
  if (dtype === "F64") return countExponent(new Uint32Array(buffer, offset, 2 * length), 1, 2, 0x7ff00000);
  const whole = offset % 4 === 0 && bytes.length % 4 === 0;
  if (whole && !anyExponent(new Int32Array(buffer, offset, bytes.length / 4), EXPONENTS[dtype])) return 0;
  if (dtype === "F32") return countExponent(new Uint32Array(buffer, offset, length), 0, 1, 0x7f800000);
  return countExponent(new Uint16Array(buffer, offset, length), 0, 1, dtype === "F16" ? 0x7c00 : 0x7f80);
}
