import { assertEquals, assertThrows } from "@std/assert";
import { decayGradient } from "../../kernels/decay_gradient.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { normOf } from "../reference/adam.ts";
import { decayPenalty, decaySlope } from "../reference/search.ts";
import { assertWithin, DIVISION, normals, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

/** Runs the kernel on rows with norms given exactly to f32, and compares with the twin. */
async function check(rows: number, width: number, zeroRow = -1, groupLimit?: number): Promise<void> {
  const [data, before] = [normals("x", rows * width), normals("gradient", rows * width)];
  if (zeroRow >= 0) data.fill(0, zeroRow * width, (zeroRow + 1) * width);
  const rowOf = (row: number): Float32Array => data.subarray(row * width, (row + 1) * width);
  const factors = normals("decay", rows, 0.5, 0.1);
  using x = gpu.upload(data, [rows, width], "x");
  using norms = gpu.upload(Float32Array.from({ length: rows }, (_, r) => normOf(rowOf(r))), [rows], "norms");
  using decay = gpu.upload(factors, [rows], "decay");
  using gradient = gpu.upload(before, [rows, width], "gradient");
  decayGradient(gpu.stream, { x, norms, decay, gradient }, groupLimit === undefined ? {} : { groupLimit });
  const [got] = await gpu.stream.read(gradient);
  const added = Array.from({ length: rows }, (_, r) => [...decaySlope(rowOf(r), factors[r]!)]).flat();
  const want = added.map((slope, i) => before[i]! + slope);
  // The norm is rounded once, then come a product, a division and a sum.
  const bound = want.map((value, i) => (2 * UNIT + DIVISION) * Math.abs(added[i]!) + 2 * UNIT * Math.abs(value));
  assertWithin(got!, want, bound, `gradient [${rows}, ${width}]`);
}

Deno.test("decayGradient() agrees with its twin at one element, primes and around a workgroup", async () => {
  for (const [rows, width] of [[1, 1], [3, 1], [1, 63], [1, 64], [1, 65], [7, 48], [5, 131]] as const) {
    await check(rows, width);
  }
});

Deno.test("decayGradient() leaves the gradient of a zero vector as it is", async () => {
  await check(3, 33, 1);
});

Deno.test("decayGradient() folds groups over two grid dimensions", async () => {
  await check(9, 50, -1, 2);
});

Deno.test("decayGradient() is the slope of the penalty on lengths", () => {
  const x = normals("point", 11);
  const loss = (at: Float64Array): number => decayPenalty(at, 0.7);
  const [fine, coarse] = [centralDifference(loss, x, 1e-3), centralDifference(loss, x, 2e-3)];
  // Doubling the step quadruples the error of a slope, so the difference is three times that error.
  const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
  assertWithin(fine, decaySlope(x, 0.7), bound, "slope");
});

Deno.test("decayGradient() of no rows dispatches nothing", () => {
  using none = gpu.tensor([0, 4], "none");
  using norms = gpu.tensor([0], "norms");
  const before = gpu.stats().dispatches;
  using gradient = gpu.tensor([0, 4], "gradient");
  decayGradient(gpu.stream, { x: none, norms, decay: norms, gradient });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("decayGradient() refuses operands that do not fit", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using norms = gpu.upload(normals("norms", 3), [3], "norms");
  using gradient = gpu.zeros([2, 3], "gradient");
  assertThrows(
    () => decayGradient(gpu.stream, { x, norms, decay: norms, gradient }),
    RangeError,
    "Cannot add the decay of x [2, 3] to a gradient [2, 3]: wanted the same shape and 2 norms and factors, got 3 and 3",
  );
});

Deno.test("decayGradient() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
