import { assertEquals, assertThrows } from "@std/assert";
import { addScaledRows } from "../../kernels/add_scaled_rows.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/sub_values.ts";
import { assertWithin, dirtyPool, normals, UNIT, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(width: number, slots: readonly number[], groupLimit?: number): Promise<void> {
  const rows = slots.length;
  const [data, bases, factors] = [normals("x", rows * width), normals("base", 3 * width), normals("factor", rows)];
  using x = gpu.upload(data, [rows, width], "x");
  using base = gpu.upload(bases, [3, width], "base");
  using slot = gpu.upload(Uint32Array.from(slots), [rows], "slot");
  using factor = gpu.upload(factors, [rows], "factor");
  using y = addScaledRows(gpu.stream, { x, base, slot, factor }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  const want = twin.addScaledRows(data, width, bases, slots, factors);
  // One rounding of the product and one of the sum.
  const bound = want.map((v, i) => 1.1 * UNIT * (Math.abs(v) + Math.abs(data[i]! * factors[Math.floor(i / width)]!)));
  assertWithin(got, want, bound, `sums of ${rows} x ${width}`);
}

Deno.test("addScaledRows() agrees with its twin at one element, primes and around the number of threads", async () => {
  await check(1, [2]);
  await check(7, [0, 2, 1, 1]);
  await check(8, [0]);
  await check(9, [1, 2, 0, 0, 1]);
  await withGpuThreads(gpu, async () => await check(65, [2, 0]));
});

Deno.test("addScaledRows() counts slots past the end as zeros", async () => {
  dirtyPool(gpu);
  await check(5, [1, 3, 4294967295]);
});

Deno.test("addScaledRows() folds rows over two grid dimensions", async () => {
  await check(5, [0, 1, 2, 0, 1, 2, 0], 3);
});

Deno.test("addScaledRows() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 3], "x");
  using base = gpu.upload(normals("base", 6), [2, 3], "base");
  using slot = gpu.tensor([0], "slot", "u32");
  using factor = gpu.tensor([0], "factor");
  const before = gpu.stats().dispatches;
  using y = addScaledRows(gpu.stream, { x, base, slot, factor });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("addScaledRows() refuses operands that do not fit", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using base = gpu.upload(normals("base", 8), [2, 4], "base");
  using slot = gpu.upload(Uint32Array.of(0, 1), [2], "slot");
  using factor = gpu.upload(normals("factor", 3), [3], "factor");
  assertThrows(
    () => addScaledRows(gpu.stream, { x, base, slot, factor }),
    RangeError,
    "Cannot add scaled rows: base must be 3 wide, got [2, 4]",
  );
  assertThrows(
    () => addScaledRows(gpu.stream, { x, base: x, slot, factor }),
    RangeError,
    "Cannot add scaled rows: factor must have 2 elements, got 3 in [3]",
  );
});

Deno.test("addScaledRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
