import { assertEquals, assertThrows } from "@std/assert";
import { scatterAddRows } from "../../kernels/scatter_add_rows.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addRows } from "../reference/row_moves.ts";
import { assertWithin, dirtyPool, normals, UNIT, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const SLOTS = 3;
const ROWS = 8;

async function check(
  width: number,
  pairs: readonly (readonly [slot: number, row: number])[],
  scale?: number,
  groupLimit?: number,
): Promise<void> {
  const [data, base] = [normals("x", SLOTS * width), normals("into", ROWS * width)];
  const [slots, rows] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
  using x = gpu.upload(data, [SLOTS, width], "x");
  using slot = gpu.upload(Uint32Array.from(slots), [pairs.length], "slot");
  using row = gpu.upload(Uint32Array.from(rows), [pairs.length], "row");
  using into = gpu.upload(base, [2, 4, width], "into");
  scatterAddRows(gpu.stream, { x, slot, row, into }, { scale, groupLimit });
  const [got] = await gpu.stream.read(into);
  const factors = pairs.map(() => Math.fround(scale ?? 1));
  const want = addRows(data, width, slots, rows, factors, base);
  const sizes = addRows(data.map(Math.abs), width, slots, rows, factors.map(Math.abs), base.map(Math.abs));
  assertWithin(got, want, sizes.map((v) => 2 * UNIT * v), "into");
}

Deno.test("scatterAddRows() adds one row to many and leaves the others", async () => {
  await check(1, [[2, 5]]);
  await check(7, [[0, 3], [2, 1], [0, 7], [1, 0]]);
  await check(9, [[1, 0], [1, 1], [1, 2], [1, 3], [0, 4], [0, 5], [0, 6], [0, 7]], -0.7);
  await withGpuThreads(gpu, async () => await check(65, [[0, 2], [1, 4]]));
});

Deno.test("scatterAddRows() skips slots and rows past the end", async () => {
  dirtyPool(gpu);
  await check(5, [[0, 2], [3, 1], [1, 8], [4294967295, 3], [2, 4]]);
});

Deno.test("scatterAddRows() folds pairs over two grid dimensions", async () => {
  await check(5, [[0, 0], [1, 1], [2, 2], [0, 3], [1, 4], [2, 5], [0, 6]], 1, 3);
});

Deno.test("scatterAddRows() of no pairs dispatches nothing", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using into = gpu.upload(normals("into", 6), [2, 3], "into");
  using none = gpu.tensor([0], "none", "u32");
  const before = gpu.stats().dispatches;
  scatterAddRows(gpu.stream, { x, slot: none, row: none, into });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("scatterAddRows() refuses other widths and lists of different length", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using into = gpu.upload(normals("into", 8), [2, 4], "into");
  using slot = gpu.upload(Uint32Array.of(0, 1), [2], "slot");
  using row = gpu.upload(Uint32Array.of(0), [1], "row");
  assertThrows(
    () => scatterAddRows(gpu.stream, { x, slot, row: slot, into }),
    RangeError,
    "Cannot scatter-add rows: into must be 3 wide, got [2, 4]",
  );
  assertThrows(
    () => scatterAddRows(gpu.stream, { x, slot, row, into: x }),
    RangeError,
    "Cannot scatter-add rows: row must have 2 elements, got 1 in [1]",
  );
});

Deno.test("scatterAddRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
