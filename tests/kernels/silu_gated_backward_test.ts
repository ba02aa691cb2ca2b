import { assertEquals, assertThrows } from "@std/assert";
import { siluGatedBackward } from "../../kernels/silu_gated_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/activations.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { activationPoints, sigmoidBound } from "./activation_bounds.ts";
import { assertWithin, normals, TINY, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

async function check(data: Float32Array<ArrayBuffer>, groupLimit?: number): Promise<void> {
  const [factor, slope] = [normals("up", data.length), normals("dy", data.length)];
  using gate = gpu.upload(data, [data.length], "gate");
  using up = gpu.upload(factor, [data.length], "up");
  using dy = gpu.upload(slope, [data.length], "dy");
  const gradients = siluGatedBackward(gpu.stream, { dy, gate, up }, { groupLimit });
  using dGate = gradients.gate;
  using dUp = gradients.up;
  const [gotGate, gotUp] = await gpu.stream.read(dGate, dUp);
  const wantGate: number[] = [], wantUp: number[] = [], boundGate: number[] = [], boundUp: number[] = [];
  data.forEach((g, i) => {
    const [byGate, byUp] = twin.siluGatedSlopes(g, factor[i]!);
    wantGate.push(slope[i]! * byGate);
    wantUp.push(slope[i]! * byUp);
    const [s, rest] = [sigmoidBound(g, 0), sigmoidBound(-g, 0)];
    const outer = Math.abs(slope[i]! * factor[i]!) * twin.sigmoid(g);
    const inner = Math.abs(g) * twin.sigmoid(-g);
    // Beyond 80 the kernel holds the exponent, where the smaller sigmoid is under 2e-35.
    const floor = (Math.abs(g) > 80 ? 2e-35 : 4 * TINY) * (1 + Math.abs(g)) *
      (1 + Math.abs(slope[i]! * factor[i]! * g));
    boundGate.push(outer * ((1 + inner) * (s + 5 * UNIT) + inner * (rest + 2 * UNIT)) + floor);
    boundUp.push(Math.abs(wantUp[i]!) * (s + 2 * UNIT) + floor * Math.abs(slope[i]!));
  });
  assertWithin(gotGate, wantGate, boundGate, "gate gradient");
  assertWithin(gotUp, wantUp, boundUp, "up gradient");
}

Deno.test("siluGatedBackward() agrees with its twin from one tail to the other", async () => {
  await check(activationPoints());
});

Deno.test("siluGatedBackward() handles one element, primes and lengths around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(normals("gate", length, 0, 3));
});

Deno.test("siluGatedBackward() folds groups over two grid dimensions", async () => {
  await check(normals("gate", 1500, 0, 3), 2);
});

Deno.test("siluGatedBackward()'s twin is the slope of the forward twin", () => {
  for (const point of [[-4, 1.5], [-0.3, -2], [0, 0.7], [0.4, 1], [3, -0.2]]) {
    const loss = (at: Float64Array) => twin.siluGated(at[0]!, at[1]!);
    const [fine, coarse] = [centralDifference(loss, point, 1e-3), centralDifference(loss, point, 2e-3)];
    // Doubling the step quadruples the error of a slope, so the difference is three times that error.
    const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
    assertWithin(fine, twin.siluGatedSlopes(point[0]!, point[1]!), bound, `slopes at ${point}`);
  }
});

Deno.test("siluGatedBackward() of no elements dispatches nothing", () => {
  using x = gpu.tensor([0], "x");
  const before = gpu.stats().dispatches;
  const gradients = siluGatedBackward(gpu.stream, { dy: x, gate: x, up: x });
  using dGate = gradients.gate;
  using dUp = gradients.up;
  assertEquals([dGate.shape, dUp.shape, gpu.stats().dispatches - before], [[0], [0], 0]);
});

Deno.test("siluGatedBackward() refuses operands of different size", () => {
  using gate = gpu.upload(new Float32Array(4), [4], "gate");
  using dy = gpu.upload(new Float32Array(3), [3], "dy");
  assertThrows(
    () => siluGatedBackward(gpu.stream, { dy, gate, up: gate }),
    RangeError,
    "Cannot differentiate gated SiLU: dy must have 4 elements, got 3 in [3]",
  );
});

Deno.test("siluGatedBackward() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
