import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { probeDf64 } from "../../kernels/probe_df64.ts";
import { probeF16 } from "../../kernels/probe_f16.ts";
import { probeF64 } from "../../kernels/probe_f64.ts";
import { probeSubgroups } from "../../kernels/probe_subgroups.ts";
import { probeU64 } from "../../kernels/probe_u64.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { dotProduct, mirrored, squarePlus, subgroupView } from "../reference/probes.ts";
import { normals } from "./operands.ts";

const gpu = await Gpu.open();
const without = (feature: "f16" | "f64" | "u64" | "subgroups"): boolean => !gpu.features.has(feature);

Deno.test({
  name: "probeSubgroups() shows lanes in the order of the index, one size, sums and broadcasts",
  ignore: gpu.subgroupSize === null,
  fn: async () => {
    for (const invocations of [32, 64]) {
      using y = probeSubgroups(gpu.stream, { invocations });
      const [got] = await gpu.stream.read(y);
      const want = Array.from({ length: invocations }, (_, i) => subgroupView(i, gpu.subgroupSize!)).flat();
      assertEquals([...got], want);
    }
  },
});

Deno.test({
  name: "probeF16() is exact on numbers whose squares are half-precision numbers",
  ignore: without("f16"),
  fn: async () => {
    for (const count of [1, 63, 64, 65]) {
      const data = Float32Array.from({ length: count }, (_, i) => (i % 41 - 20) / 2);
      using x = gpu.upload(data, [count], "x");
      using y = probeF16(gpu.stream, { x });
      const [got] = await gpu.stream.read(y);
      assertEquals([...got], [...data].map(squarePlus));
    }
  },
});

Deno.test({
  name: "probeF16() rounds its operand to half precision",
  ignore: without("f16"),
  fn: async () => {
    using x = gpu.upload(new Float32Array([1 + 2 ** -20]), [1], "x");
    using y = probeF16(gpu.stream, { x });
    const [got] = await gpu.stream.read(y);
    assertEquals(got[0], 2);
  },
});

Deno.test({
  name: "probeF64() keeps 48 bits of dot products at 1, 63, 64 and 65 rows",
  ignore: without("f64"),
  fn: async () => {
    for (const [rows, terms] of [[1, 1], [63, 5], [64, 2], [65, 129]] as const) {
      const a = normals("a", rows * terms);
      const b = normals("b", rows * terms);
      using left = gpu.upload(a, [rows, terms], "a");
      using right = gpu.upload(b, [rows, terms], "b");
      using y = probeF64(gpu.stream, { a: left, b: right });
      const [got] = await gpu.stream.read(y);
      for (let r = 0; r < rows; r++) {
        const row = (x: Float32Array): Float32Array => x.subarray(r * terms, (r + 1) * terms);
        const { value, size } = dotProduct(row(a), row(b));
        // The sums of both sides round in float64, and the pair drops what lies below 2^-48 of the result.
        const bound = (2 ** -48 + terms * 2 ** -52) * size;
        const error = Math.abs(got[2 * r]! + got[2 * r + 1]! - value);
        assertEquals(error <= bound, true, `row ${r} of ${rows} x ${terms}: off by ${error}, bound ${bound}`);
      }
    }
  },
});

Deno.test("probeDf64() with the barrier gives exact errors of sums and products, and dot products to 2^-44", async () => {
  for (const [rows, terms] of [[1, 1], [63, 5], [65, 2], [3, 1031]] as const) {
    const a = normals("a", rows * terms);
    const b = normals("b", rows * terms);
    using left = gpu.upload(a, [rows, terms], "a");
    using right = gpu.upload(b, [rows, terms], "b");
    using y = probeDf64(gpu.stream, { a: left, b: right }, { barrier: true });
    const [got] = await gpu.stream.read(y);
    for (let r = 0; r < rows; r++) {
      const [sum, sumError, product, productError, dot, rest] = got.subarray(6 * r, 6 * r + 6);
      const p = a[r * terms]!;
      const q = b[r * terms]!;
      assertEquals([sum! + sumError!, product! + productError!], [p + q, p * q], `pair ${r} of ${rows} x ${terms}`);
      const { value, size } = dotProduct(a.subarray(r * terms, (r + 1) * terms), b.subarray(r * terms));
      // Each step adds an error of at most 2^-47 of the running size (three roundings of terms below 2^-23 of it).
      assertLess(Math.abs(dot! + rest! - value), (terms + 1) * 2 ** -46 * size, `dot ${r} of ${rows} x ${terms}`);
    }
  }
});

Deno.test("probeDf64() without the barrier gives the rounded sum and product at least", async () => {
  const a = normals("a", 64);
  const b = normals("b", 64);
  using left = gpu.upload(a, [64, 1], "a");
  using right = gpu.upload(b, [64, 1], "b");
  using y = probeDf64(gpu.stream, { a: left, b: right }, { barrier: false });
  const [got] = await gpu.stream.read(y);
  for (let i = 0; i < 64; i++) {
    assertEquals([got[6 * i], got[6 * i + 2]], [Math.fround(a[i]! + b[i]!), Math.fround(a[i]! * b[i]!)]);
  }
});

Deno.test({
  name: "probeU64() moves every bit of eight values to its place, around a workgroup's 512",
  ignore: without("u64"),
  fn: async () => {
    for (const count of [8, 504, 512, 520]) {
      const data = normals("x", count);
      using x = gpu.upload(data, [count], "x");
      using y = probeU64(gpu.stream, { x });
      const [got] = await gpu.stream.read(y);
      assertEquals([...got], [...data].map((_, i) => data[mirrored(i)]));
    }
    using odd = gpu.tensor([12], "odd");
    assertThrows(
      () => probeU64(gpu.stream, { x: odd }),
      RangeError,
      "Cannot prove 64-bit words: x must have a multiple of 8 elements, got 12",
    );
  },
});

Deno.test("probeDf64() and probeF64() refuse operands of different shapes", () => {
  using a = gpu.tensor([2, 3], "a");
  using b = gpu.tensor([3, 2], "b");
  assertThrows(
    () => probeDf64(gpu.stream, { a, b }, { barrier: true }),
    RangeError,
    "Cannot prove pairs of f32: b must have shape [2, 3], got [3, 2]",
  );
  assertThrows(
    () => probeF64(gpu.stream, { a, b }),
    RangeError,
    "Cannot prove double precision: b must have shape [2, 3], got [3, 2]",
  );
});

Deno.test("the probes of features leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
