import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  bf16ToF32,
  countNonFinite,
  decodeFloats,
  f16ToF32,
  isFloatDtype,
  toBf16,
  toF16,
} from "../../src/checkpoint/half.ts";

interface HalfFormat {
  name: string;
  exponentBits: number;
  mantissaBits: number;
  widen: (bits: Uint16Array) => Float32Array;
  round: (values: ArrayLike<number>) => Uint16Array;
}

const FORMATS: HalfFormat[] = [
  { name: "f16", exponentBits: 5, mantissaBits: 10, widen: f16ToF32, round: toF16 },
  { name: "bf16", exponentBits: 8, mantissaBits: 7, widen: bf16ToF32, round: toBf16 },
];

/** Value of a bit pattern by the definition of IEEE 754. */
function byDefinition(bits: number, { exponentBits, mantissaBits }: HalfFormat): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = bits & ((1 << mantissaBits) - 1);
  const bias = (1 << (exponentBits - 1)) - 1;
  if (exponent === (1 << exponentBits) - 1) return mantissa === 0 ? sign * Infinity : NaN;
  const fraction = mantissa / 2 ** mantissaBits;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const ALL_BITS = Uint16Array.from({ length: 65536 }, (_, i) => i);

for (const format of FORMATS) {
  const values = Float64Array.from(ALL_BITS, (bits) => byDefinition(bits, format));

  Deno.test(`${format.widen.name}() gives the defined value of all 65536 patterns`, () => {
    const got = format.widen(ALL_BITS);
    for (let i = 0; i < 65536; i++) assert(Object.is(got[i], values[i]), `${format.name} pattern ${i}: ${got[i]}`);
  });

  Deno.test(`${format.round.name}() gives back every pattern that is not NaN`, () => {
    const got = format.round(values);
    for (let i = 0; i < 65536; i++) {
      if (Number.isNaN(values[i]!)) assert(Number.isNaN(byDefinition(got[i]!, format)), `pattern ${i} lost its NaN`);
      else assertEquals(got[i], i);
    }
  });

  Deno.test(`${format.round.name}() rounds to nearest, ties to even, in one step from float64`, () => {
    const largest = ((1 << format.exponentBits) - 1) << format.mantissaBits;
    for (let bits = 0; bits + 1 < largest; bits += 7) {
      const low = values[bits]!;
      const middle = low + (values[bits + 1]! - low) / 2;
      // The neighbours of the middle in float64 differ from it by less than float32 can tell.
      const tiny = middle * 2 ** -50;
      const even = bits + (bits & 1);
      assertEquals([...format.round([middle, middle - tiny, middle + tiny])], [even, bits, bits + 1]);
      assertEquals([...format.round([-middle])], [even | 0x8000]);
    }
  });

  Deno.test(`${format.round.name}() overflows to infinity half a step above the largest value`, () => {
    const infinity = ((1 << format.exponentBits) - 1) << format.mantissaBits;
    const largest = values[infinity - 1]!;
    const halfStep = (largest - values[infinity - 2]!) / 2;
    const below = largest + halfStep * (1 - 2 ** -30);
    assertEquals([...format.round([below, largest + halfStep, -1e300])], [infinity - 1, infinity, infinity | 0x8000]);
  });
}

Deno.test("decodeFloats() reads every type at any address", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), fc.nat(7), (numbers, shift) => {
      const f64 = Float64Array.from(numbers);
      const f32 = Float32Array.from(numbers);
      const f16 = toF16(numbers);
      const bf16 = toBf16(numbers);
      const cases = [["F64", f64, f64], ["F32", f32, f32], ["F16", f16, f16ToF32(f16)], [
        "BF16",
        bf16,
        bf16ToF32(bf16),
      ]];
      for (const [dtype, stored, wanted] of cases as ["F64", Float64Array, Float64Array][]) {
        const bytes = new Uint8Array(shift + stored.byteLength);
        bytes.set(new Uint8Array(stored.buffer), shift);
        assertEquals([...decodeFloats(dtype, bytes.subarray(shift))], [...wanted]);
      }
    }),
    { seed: 1 },
  );
});

Deno.test("decodeFloats() gives an array of its own", () => {
  const stored = Float32Array.of(1, 2);
  const got = decodeFloats("F32", new Uint8Array(stored.buffer));
  stored[0] = 9;
  assertEquals([...got], [1, 2]);
});

Deno.test("decodeFloats() refuses torn elements", () => {
  assertThrows(
    () => decodeFloats("F32", new Uint8Array(7)),
    RangeError,
    "Cannot decode 7 bytes as F32: wanted a multiple of 4 bytes; pass whole elements",
  );
});

Deno.test("countNonFinite() counts infinities and NaNs of every type and nothing else", () => {
  const numbers = [0, -0, 1, -65504, 6e-8, NaN, Infinity, -Infinity, 3e-320];
  assertEquals(countNonFinite("F64", new Uint8Array(Float64Array.from(numbers).buffer)), 3);
  assertEquals(countNonFinite("F32", new Uint8Array(Float32Array.from(numbers).buffer)), 3);
  assertEquals(countNonFinite("F16", new Uint8Array(toF16(numbers).buffer)), 3);
  assertEquals(countNonFinite("BF16", new Uint8Array(toBf16(numbers).buffer)), 3);
  for (const format of FORMATS) {
    const wanted = ALL_BITS.filter((bits) => !Number.isFinite(byDefinition(bits, format))).length;
    const dtype = format.name === "f16" ? "F16" : "BF16";
    assertEquals(countNonFinite(dtype, new Uint8Array(ALL_BITS.buffer)), wanted);
  }
});

Deno.test("countNonFinite() finds a value alone in a word, in either half of it, and takes every finite one", () => {
  for (const format of FORMATS) {
    const dtype = format.name === "f16" ? "F16" : "BF16";
    for (const bits of ALL_BITS) {
      const wanted = Number(!Number.isFinite(byDefinition(bits, format)));
      for (const halves of [[bits, 0], [0x8001, bits]]) {
        assertEquals(countNonFinite(dtype, new Uint8Array(Uint16Array.from(halves).buffer)), wanted);
      }
    }
  }
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const rest of [0, 1, 0x7fffff, 0x80000000, 0x807fffff]) {
      const word = Uint32Array.of(0x007fffff, (exponent << 23 | rest) >>> 0);
      assertEquals(countNonFinite("F32", new Uint8Array(word.buffer)), Number(exponent === 255));
    }
  }
});

Deno.test("isFloatDtype() knows the four float types", () => {
  assertEquals(["F64", "F32", "F16", "BF16", "I32", "toString"].map(isFloatDtype), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});
