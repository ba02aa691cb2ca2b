import { assertEquals, assertThrows } from "@std/assert";
import { probeCopy } from "../../kernels/probe_copy.ts";
import { probeMultiplyAdd } from "../../kernels/probe_multiply_add.ts";
import { probeRead } from "../../kernels/probe_read.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { chainSum, laneSum } from "../reference/probes.ts";

const gpu = await Gpu.open();

/** Whole numbers below 64, so that sums of a few thousand of them are exact in f32 in any order. */
function wholes(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => (i * 37 + 11) % 64);
}

Deno.test("probeMultiplyAdd() runs every chain to its end at 1, 63, 64, 65 and folded threads", async () => {
  for (const [threads, groupLimit] of [[1], [63], [64], [65], [331, 2]] as const) {
    const data = wholes(threads);
    using start = gpu.upload(data, [threads], "start");
    // Sixteen halvings of a number below 128 need 23 bits: exact, fused or not.
    using y = probeMultiplyAdd(gpu.stream, { start }, { rounds: 1, factor: 0.5, summand: 1, groupLimit });
    // A factor of 1 counts the steps.
    using counted = probeMultiplyAdd(gpu.stream, { start }, { rounds: 7, factor: 1, summand: 3, groupLimit });
    const [halved, steps] = await gpu.stream.read(y, counted);
    data.forEach((x, i) => {
      const want = chainSum(x, 16, 0.5, 1);
      const bound = 11 * 2 ** -24 * want;
      assertEquals(Math.abs(halved[i]! - want) <= bound, true, `chains from ${x}: got ${halved[i]}, wanted ${want}`);
      assertEquals(steps[i], chainSum(x, 7 * 16, 1, 3));
    });
  }
});

Deno.test("probeMultiplyAdd() of no threads dispatches nothing", () => {
  using start = gpu.tensor([0], "start");
  const before = gpu.stats().dispatches;
  using y = probeMultiplyAdd(gpu.stream, { start }, { rounds: 1, factor: 1, summand: 1 });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("probeRead() sums every element once around a block, and folded", async () => {
  for (const [length, groupLimit] of [[4], [1020], [16380], [16384], [16388], [49156, 2]] as const) {
    const data = wholes(length);
    using x = gpu.upload(data, [length], "x");
    using sums = probeRead(gpu.stream, { x }, { groupLimit });
    const [got] = await gpu.stream.read(sums);
    const want = Array.from({ length: sums.length }, (_, i) => laneSum(data, Math.floor(i / 256), i % 256));
    assertEquals([...got], want);
  }
});

Deno.test("probeCopy() copies every element around a block, and folded", async () => {
  for (const [length, groupLimit] of [[4], [1020], [16380], [16384], [16388], [49156, 2]] as const) {
    const data = wholes(length);
    using x = gpu.upload(data, [length], "x");
    using y = probeCopy(gpu.stream, { x }, { groupLimit });
    const [got] = await gpu.stream.read(y);
    assertEquals(got, data);
  }
});

Deno.test("probeRead() and probeCopy() refuse lengths that are no whole quads", () => {
  using x = gpu.tensor([6], "x");
  assertThrows(
    () => probeRead(gpu.stream, { x }),
    RangeError,
    "Cannot measure reading: the length of x must be a multiple of 4, got 6",
  );
  assertThrows(
    () => probeCopy(gpu.stream, { x }),
    RangeError,
    "Cannot measure copying: the length of x must be a multiple of 4, got 6",
  );
});

Deno.test("the probes of the roofline leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
