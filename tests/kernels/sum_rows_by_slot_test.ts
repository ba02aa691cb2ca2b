import { assertEquals, assertThrows } from "@std/assert";
import { sumRowsBySlot } from "../../kernels/sum_rows_by_slot.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addRows } from "../reference/row_moves.ts";
import { assertWithin, dirtyPool, normals, UNIT, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const ROWS = 6;

async function check(
  width: number,
  slots: number,
  pairs: readonly (readonly [row: number, slot: number])[],
  options: { weighted?: boolean; groupLimit?: number } = {},
): Promise<void> {
  const data = normals("x", ROWS * width);
  const [from, to] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
  const factors = options.weighted ? normals("weights", pairs.length) : new Float32Array(pairs.length).fill(1);
  using x = gpu.upload(data, [2, 3, width], "x");
  using row = gpu.upload(Uint32Array.from(from), [pairs.length], "row");
  using slot = gpu.upload(Uint32Array.from(to), [pairs.length], "slot");
  using weights = gpu.upload(factors, [pairs.length], "weights");
  using y = sumRowsBySlot(gpu.stream, { x, row, slot }, {
    slots,
    weights: options.weighted ? weights : undefined,
    groupLimit: options.groupLimit,
  });
  const [got] = await gpu.stream.read(y);
  const zeros = new Float64Array(slots * width);
  const want = addRows(data, width, from, to, factors, zeros);
  const sizes = addRows(data.map(Math.abs), width, from, to, factors.map(Math.abs), zeros);
  assertEquals(y.shape, [slots, width]);
  assertWithin(got, want, sizes.map((v) => 2 * pairs.length * UNIT * v), "sums");
}

Deno.test("sumRowsBySlot() sums the rows of each slot and leaves empty slots zero", async () => {
  await check(1, 1, [[5, 0]]);
  await check(7, 4, [[0, 3], [5, 1], [2, 3], [1, 0], [0, 3]]);
  await check(9, 2, []);
  await withGpuThreads(gpu, async () => await check(65, 3, [[4, 1], [3, 1], [0, 2]]));
});

Deno.test("sumRowsBySlot() weighs each summand", async () => {
  await check(7, 3, [[0, 2], [5, 1], [2, 2], [1, 0], [0, 1]], { weighted: true });
});

Deno.test("sumRowsBySlot() skips rows and slots past the end", async () => {
  dirtyPool(gpu);
  await check(5, 2, [[0, 0], [6, 0], [4294967295, 1], [1, 2], [3, 1]]);
});

Deno.test("sumRowsBySlot() folds slots over two grid dimensions", async () => {
  await check(5, 7, [[0, 6], [1, 5], [2, 4], [3, 3], [4, 2], [5, 1], [0, 0]], { groupLimit: 3 });
});

Deno.test("sumRowsBySlot() into no slots dispatches nothing", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using row = gpu.upload(Uint32Array.of(0), [1], "row");
  const before = gpu.stats().dispatches;
  using y = sumRowsBySlot(gpu.stream, { x, row, slot: row }, { slots: 0 });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("sumRowsBySlot() refuses lists and weights of different length", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using row = gpu.upload(Uint32Array.of(0, 1), [2], "row");
  using slot = gpu.upload(Uint32Array.of(0), [1], "slot");
  assertThrows(
    () => sumRowsBySlot(gpu.stream, { x, row, slot }, { slots: 1 }),
    RangeError,
    "Cannot sum rows by slot: slot must have 2 elements, got 1 in [1]",
  );
  assertThrows(
    () => sumRowsBySlot(gpu.stream, { x, row, slot: row }, { slots: 2, weights: x }),
    RangeError,
    "Cannot sum rows by slot: weights must have 2 elements, got 6 in [2, 3]",
  );
});

Deno.test("sumRowsBySlot() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
