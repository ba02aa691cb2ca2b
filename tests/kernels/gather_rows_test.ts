import { assertEquals, assertThrows } from "@std/assert";
import { gatherRows } from "../../kernels/gather_rows.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/row_moves.ts";
import { dirtyPool, normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(width: number, rows: readonly number[], groupLimit?: number): Promise<void> {
  const data = normals("x", 6 * width);
  using x = gpu.upload(data, [2, 3, width], "x");
  using index = gpu.upload(Uint32Array.from(rows), [rows.length], "index");
  using y = gatherRows(gpu.stream, { x, index }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  assertEquals(y.shape, [rows.length, width]);
  assertEquals(Array.from(got), Array.from(twin.gatherRows(data, width, rows)));
}

Deno.test("gatherRows() copies rows exactly, repeated ones too", async () => {
  await check(1, [5]);
  await check(7, [5, 0, 0, 3]);
  await check(9, [1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
  await withGpuThreads(gpu, async () => await check(65, [4, 1]));
});

Deno.test("gatherRows() gives zeros for indices past the end", async () => {
  dirtyPool(gpu);
  await check(5, [2, 6, 4294967295]);
});

Deno.test("gatherRows() folds rows over two grid dimensions", async () => {
  await check(5, [0, 1, 2, 3, 4, 5, 0], 3);
});

Deno.test("gatherRows() of no rows dispatches nothing", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using index = gpu.tensor([0], "index", "u32");
  const before = gpu.stats().dispatches;
  using y = gatherRows(gpu.stream, { x, index });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("gatherRows() refuses an index that is no u32 and an operand without dimensions", () => {
  using x = gpu.upload(normals("x", 1), [1], "x");
  using index = gpu.upload(Uint32Array.of(0), [1], "index");
  assertThrows(
    () => gatherRows(gpu.stream, { x, index: x }),
    TypeError,
    'Cannot gather rows: index must be u32, got "x" of f32',
  );
  assertThrows(
    () => gatherRows(gpu.stream, { x: x.view([]), index }),
    RangeError,
    "Cannot gather rows: x must have at least one dimension, got []",
  );
});

Deno.test("gatherRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
