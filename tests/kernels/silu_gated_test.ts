import { assertEquals, assertThrows } from "@std/assert";
import { siluGated } from "../../kernels/silu_gated.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/activations.ts";
import { activationPoints, sigmoidBound } from "./activation_bounds.ts";
import { assertWithin, normals, TINY, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

async function check(data: Float32Array<ArrayBuffer>, groupLimit?: number): Promise<void> {
  const factor = normals("up", data.length);
  using gate = gpu.upload(data, [data.length], "gate");
  using up = gpu.upload(factor, [data.length], "up");
  using y = siluGated(gpu.stream, { gate, up }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  const want = Array.from(data, (v, i) => twin.siluGated(v, factor[i]!));
  // Below -80 the kernel holds the exponent, where the sigmoid is under 2e-35.
  const floor = Array.from(data, (v, i) => (v < -80 ? 2e-35 : 4 * TINY) * (1 + Math.abs(v * factor[i]!)));
  const bound = want.map((v, i) => Math.abs(v) * (sigmoidBound(data[i]!, 0) + 2 * UNIT) + floor[i]!);
  assertWithin(got, want, bound, "siluGated");
}

Deno.test("siluGated() agrees with its twin from one tail to the other", async () => {
  await check(activationPoints());
});

Deno.test("siluGated() handles one element, primes and lengths around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(normals("gate", length, 0, 3));
});

Deno.test("siluGated() folds groups over two grid dimensions", async () => {
  await check(normals("gate", 1500, 0, 3), 2);
});

Deno.test("siluGated() of no elements dispatches nothing", () => {
  using gate = gpu.tensor([0], "gate");
  const before = gpu.stats().dispatches;
  using y = siluGated(gpu.stream, { gate, up: gate });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("siluGated() refuses operands of different size", () => {
  using gate = gpu.upload(new Float32Array(4), [4], "gate");
  using up = gpu.upload(new Float32Array(3), [3], "up");
  assertThrows(
    () => siluGated(gpu.stream, { gate, up }),
    RangeError,
    "Cannot apply gated SiLU: up must have 4 elements, got 3 in [3]",
  );
});

Deno.test("siluGated() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
