import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { frozenNorm } from "../../kernels/frozen_norm.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/sub_values.ts";
import { assertWithin, DIVISION, normals, UNIT, uploadWeight, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const SCALE = Math.fround(2.7);

/** First-order bound of one row: the mean's sum of n terms, its division, the difference, and the outer operations. */
function boundOf(x: ArrayLike<number>, weight: ArrayLike<number>, centre: boolean, transposed: boolean): number[] {
  const terms = Array.from(x, (v, i) => Math.abs(transposed ? v * weight[i]! : v));
  const mean = centre ? terms.reduce((sum, v) => sum + v, 0) / terms.length : 0;
  const meanError = ((terms.length + 1) * UNIT + DIVISION) * mean;
  return terms.map((v, i) => {
    const outer = transposed ? 1 : Math.abs(weight[i]!);
    return 1.1 * outer / SCALE * (meanError + UNIT * v + (DIVISION + 2 * UNIT) * (v + mean));
  });
}

async function check(
  rows: number,
  width: number,
  dtype: "f32" | "f16" | "bf16" = "f32",
  groupLimit?: number,
): Promise<void> {
  const data = normals("x", rows * width, 1, 2);
  const { tensor, values } = uploadWeight(gpu, normals("weight", width), [width], dtype);
  using weight = tensor;
  using x = gpu.upload(data, [rows, width], "x");
  using scale = gpu.upload(Float32Array.of(SCALE), [1], "scale");
  for (const centre of [true, false]) {
    for (const transposed of [true, false]) {
      using y = frozenNorm(gpu.stream, { x, weight, scale }, { centre, transposed, groupLimit });
      const [got] = await gpu.stream.read(y);
      const each = Array.from({ length: rows }, (_, r) => data.subarray(r * width, (r + 1) * width));
      assertWithin(
        got,
        each.flatMap((row) => [...twin.frozenNorm(row, values, SCALE, centre, transposed)]),
        each.flatMap((row) => boundOf(row, values, centre, transposed)),
        `frozen norm of ${rows} x ${width}, centre ${centre}, transposed ${transposed}`,
      );
    }
  }
}

Deno.test("frozenNorm() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [3, 7], [2, 8], [5, 9], [1, 1031]] as const) await check(rows, width);
  await withGpuThreads(gpu, async () => await check(3, 65));
});

Deno.test("frozenNorm() reads half weights of odd width", async () => {
  await check(2, 7, "f16");
  await check(2, 7, "bf16");
});

Deno.test("frozenNorm() folds rows over two grid dimensions", async () => {
  await check(7, 5, "f32", 3);
});

Deno.test("frozenNorm() transposed is the transpose: a . N(b) = N'(a) . b", () => {
  const [a, b, weight] = [normals("a", 13), normals("b", 13), normals("weight", 13)];
  for (const centre of [true, false]) {
    const dot = (u: ArrayLike<number>, v: ArrayLike<number>): number =>
      Array.from(u, (value, i) => value * v[i]!).reduce((sum, value) => sum + value, 0);
    const forward = dot(a, twin.frozenNorm(b, weight, 2.7, centre, false));
    assertAlmostEquals(forward, dot(twin.frozenNorm(a, weight, 2.7, centre, true), b), 1e-12);
  }
});

Deno.test("frozenNorm() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 3], "x");
  using weight = gpu.upload(normals("w", 3), [3], "weight");
  using scale = gpu.upload(Float32Array.of(1), [1], "scale");
  const before = gpu.stats().dispatches;
  using y = frozenNorm(gpu.stream, { x, weight, scale }, { centre: true });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("frozenNorm() refuses operands that do not fit", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using weight = gpu.upload(normals("w", 2), [2], "weight");
  using scale = gpu.upload(Float32Array.of(1, 2), [2], "scale");
  assertThrows(
    () => frozenNorm(gpu.stream, { x, weight, scale }, { centre: true }),
    RangeError,
    "Cannot apply a frozen norm: weight must have shape [3], got [2]",
  );
  assertThrows(
    () => frozenNorm(gpu.stream, { x: x.view([3, 2]), weight, scale }, { centre: true }),
    RangeError,
    "Cannot apply a frozen norm: scale must have 1 elements, got 2 in [2]",
  );
});

Deno.test("frozenNorm() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
