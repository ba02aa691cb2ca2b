import { assertEquals, assertThrows } from "@std/assert";
import { geluBackward } from "../../kernels/gelu_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/activations.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { activationPoints, normalCdfBound, tanhCdfBound } from "./activation_bounds.ts";
import { assertWithin, expError, normals, TINY, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

/** Bound of the absolute error of the slope at x. */
function slopeBound(x: number, kind: "tanh" | "exact"): number {
  const total = Math.abs(twin.geluSlope(x, kind));
  // Products of a flushed subnormal with the other factors stay below this.
  const floor = 1e4 * TINY;
  if (kind === "exact") {
    const cdf = twin.normalCdf(x) * normalCdfBound(x);
    const half = x * x / 2;
    const density = Math.abs(x) * twin.normalDensity(x) * (2 * UNIT * half + expError(half) + 3 * UNIT);
    return cdf + density + 2 * UNIT * total + floor;
  }
  const u = twin.tanhArgument(x);
  const [s, opposite] = [twin.sigmoid(2 * u), twin.sigmoid(-2 * u)];
  const product = Math.abs(2 * x * s * opposite * twin.tanhArgumentSlope(x));
  const productError = tanhCdfBound(x) + tanhCdfBound(-x) + 8 * UNIT;
  return s * tanhCdfBound(x) + product * productError + 2 * UNIT * (s + product) + floor;
}

async function check(
  data: Float32Array<ArrayBuffer>,
  kind: "tanh" | "exact",
  groupLimit?: number,
): Promise<void> {
  const slope = normals("dy", data.length);
  using x = gpu.upload(data, [data.length], "x");
  using dy = gpu.upload(slope, [data.length], "dy");
  using dx = geluBackward(gpu.stream, { dy, x }, { kind, groupLimit });
  const [got] = await gpu.stream.read(dx);
  const want = Array.from(data, (v, i) => slope[i]! * twin.geluSlope(v, kind));
  const bound = Array.from(data, (v, i) => Math.abs(slope[i]!) * slopeBound(v, kind) + UNIT * Math.abs(want[i]!));
  assertWithin(got, want, bound, `gelu slope ${kind}`);
}

Deno.test("geluBackward() agrees with its twin from one tail to the other, for both kinds", async () => {
  await check(activationPoints(), "tanh");
  await check(activationPoints(), "exact");
});

Deno.test("geluBackward() handles one element, primes and lengths around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(normals("x", length, 0, 3), "exact");
});

Deno.test("geluBackward() folds groups over two grid dimensions", async () => {
  await check(normals("x", 1500, 0, 3), "tanh", 2);
});

Deno.test("geluBackward()'s twin is the slope of the forward twin", () => {
  const points = [-6, -3.1, -1, -0.2, 0, 0.3, 0.9, 2.2, 5.5];
  for (const kind of ["tanh", "exact"] as const) {
    const loss = (x: Float64Array) => x.reduce((sum, v) => sum + twin.gelu(v, kind), 0);
    const [fine, coarse] = [centralDifference(loss, points, 1e-3), centralDifference(loss, points, 2e-3)];
    // Doubling the step quadruples the error of a slope, so the difference is three times that error.
    const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
    assertWithin(fine, points.map((v) => twin.geluSlope(v, kind)), bound, kind);
  }
});

Deno.test("geluBackward() of no elements dispatches nothing", () => {
  using x = gpu.tensor([0], "x");
  const before = gpu.stats().dispatches;
  using dx = geluBackward(gpu.stream, { dy: x, x }, { kind: "tanh" });
  assertEquals([dx.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("geluBackward() refuses gradients of another size", () => {
  using x = gpu.upload(new Float32Array(4), [4], "x");
  using dy = gpu.upload(new Float32Array(3), [3], "dy");
  assertThrows(
    () => geluBackward(gpu.stream, { dy, x }, { kind: "tanh" }),
    RangeError,
    "Cannot differentiate GELU: dy must have 4 elements, got 3 in [3]",
  );
});

Deno.test("geluBackward() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
