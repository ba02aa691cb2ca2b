import { assertEquals, assertThrows } from "@std/assert";
import { rowNorms } from "../../kernels/row_norms.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { normOf } from "../reference/adam.ts";
import { normError } from "./adam_bounds.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const data = normals("x", rows * width, 1, 3);
  using x = gpu.upload(data, [rows, width], "x");
  using norms = rowNorms(gpu.stream, { x }, { groupLimit });
  const [got] = await gpu.stream.read(norms);
  const want = rowsOf(data, width).map(normOf);
  assertWithin(got, want, want.map((norm) => norm * normError(width)), `norms of ${rows} x ${width}`);
}

Deno.test("rowNorms() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("rowNorms() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("rowNorms() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("rowNorms() of a row of zeros is zero", async () => {
  using x = gpu.zeros([2, 5], "x");
  using norms = rowNorms(gpu.stream, { x });
  const [got] = await gpu.stream.read(norms);
  assertEquals([...got], [0, 0]);
});

Deno.test("rowNorms() gives one value a row of all leading dimensions, and of no rows dispatches nothing", () => {
  using x = gpu.upload(normals("x", 24), [2, 3, 4], "x");
  using norms = rowNorms(gpu.stream, { x });
  assertEquals(norms.shape, [6]);
  using empty = gpu.tensor([0, 4], "empty");
  const before = gpu.stats().dispatches;
  using none = rowNorms(gpu.stream, { x: empty });
  assertEquals([none.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("rowNorms() refuses an input that is no f32", () => {
  using ids = gpu.upload(new Uint32Array(4), [4], "ids");
  assertThrows(
    () => rowNorms(gpu.stream, { x: ids }),
    TypeError,
    'Cannot take the norms of rows: x must be f32, got "ids" of u32',
  );
});

Deno.test("rowNorms() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
