import { assertEquals, assertThrows } from "@std/assert";
import { argmax } from "../../kernels/argmax.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { topKRow } from "../reference/top_k.ts";
import { dirtyPool, normals, withGpuThreads } from "./operands.ts";
import { rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, width] of data with many ties and compares every row with the twin. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const data = normals("x", rows * width, -3).map(Math.round);
  dirtyPool(gpu);
  using x = gpu.upload(data, [rows, width], "x");
  using best = argmax(gpu.stream, { x }, { groupLimit });
  const [got] = await gpu.stream.read(best);
  assertEquals([...got], rowsOf(data, width).map((row) => topKRow(row, 1).indices[0]!), `${rows} x ${width}`);
}

Deno.test("argmax() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("argmax() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("argmax() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("argmax() takes the lowest index of equal elements, 0 and -0 among them", async () => {
  using x = gpu.upload(Float32Array.of(-1, -0, 0, -0, 5, 5, 5, 5, -3e38, -3.2e38, -3e38, -3.4e38), [3, 4], "x");
  using best = argmax(gpu.stream, { x });
  const [got] = await gpu.stream.read(best);
  assertEquals([...got], [1, 0, 0]);
});

Deno.test("argmax() takes the lowest index of equal elements that one thread or several threads meet", async () => {
  const data = new Float32Array(3 * 40);
  for (const at of [8, 3, 17, 33]) data[40 + at] = 1;
  data.set([1], 80 + 31);
  using x = gpu.upload(data, [3, 40], "x");
  using best = argmax(gpu.stream, { x });
  const [got] = await gpu.stream.read(best);
  assertEquals([...got], [0, 3, 31]);
});

Deno.test("argmax() gives one u32 a row of all leading dimensions, and of no rows dispatches nothing", () => {
  using x = gpu.upload(normals("x", 24), [2, 3, 4], "x");
  using best = argmax(gpu.stream, { x });
  assertEquals([best.shape, best.dtype], [[6], "u32"]);
  using empty = gpu.tensor([0, 4], "empty");
  const before = gpu.stats().dispatches;
  using none = argmax(gpu.stream, { x: empty });
  assertEquals([none.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("argmax() refuses empty rows", () => {
  using empty = gpu.tensor([2, 0], "empty");
  assertThrows(
    () => argmax(gpu.stream, { x: empty }),
    RangeError,
    "Cannot find the largest elements: rows of x must have at least one element, got [2, 0]",
  );
});

Deno.test("argmax() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
