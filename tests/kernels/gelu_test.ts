import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { gelu } from "../../kernels/gelu.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/activations.ts";
import { activationPoints, normalCdfBound, tanhCdfBound } from "./activation_bounds.ts";
import { assertWithin, normals, TINY, UNIT } from "./operands.ts";

const gpu = await Gpu.open();
const BOUND = { tanh: tanhCdfBound, exact: normalCdfBound };

async function check(data: Float32Array<ArrayBuffer>, kind: "tanh" | "exact", groupLimit?: number): Promise<void> {
  using x = gpu.upload(data, [data.length], "x");
  using y = gelu(gpu.stream, { x }, { kind, groupLimit });
  const [got] = await gpu.stream.read(y);
  const want = Array.from(data, (v) => twin.gelu(v, kind));
  const bound = want.map((v, i) =>
    Math.abs(v) * (BOUND[kind](data[i]!) + 2 * UNIT) + 4 * TINY * (1 + Math.abs(data[i]!))
  );
  assertWithin(got, want, bound, `gelu ${kind}`);
}

Deno.test("gelu() agrees with its twin from one tail to the other, for both kinds", async () => {
  await check(activationPoints(), "tanh");
  await check(activationPoints(), "exact");
});

Deno.test("gelu() handles one element, primes and lengths around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(normals("x", length, 0, 3), "tanh");
});

Deno.test("gelu() folds groups over two grid dimensions", async () => {
  await check(normals("x", 1500, 0, 3), "exact", 2);
});

Deno.test("gelu() of no elements dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  const before = gpu.stats().dispatches;
  using y = gelu(gpu.stream, { x }, { kind: "tanh" });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("gelu()'s twin has the tabulated values of the normal distribution", () => {
  assertAlmostEquals(twin.normalCdf(1), 0.841344746068543, 1e-14);
  assertAlmostEquals(twin.normalCdf(-2.5) / 0.006209665325776135, 1, 1e-12);
  assertAlmostEquals(twin.normalCdf(-5) / 2.866515718791939e-7, 1, 1e-12);
});

Deno.test("gelu() refuses index tensors and its own input as output", () => {
  using ids = gpu.upload(new Uint32Array(4), [4], "ids");
  using x = gpu.upload(new Float32Array(4), [4], "x");
  assertThrows(
    () => gelu(gpu.stream, { x: ids }, { kind: "tanh" }),
    TypeError,
    'Cannot apply GELU: x must be f32, got "ids" of u32',
  );
  assertThrows(() => gelu(gpu.stream, { x }, { kind: "tanh", out: x }), TypeError, "out shares its buffer");
});

Deno.test("gelu() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
