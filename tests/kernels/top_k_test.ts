import { assertEquals, assertThrows } from "@std/assert";
import { topK } from "../../kernels/top_k.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { topKRow } from "../reference/top_k.ts";
import { dirtyPool, normals, withGpuThreads } from "./operands.ts";
import { rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, width] and compares every row with the twin; `grain` rounds the data, to get ties. */
async function check(rows: number, width: number, k: number, grain = 0, groupLimit?: number): Promise<void> {
  const data = normals("x", rows * width, -1).map((v) => grain > 0 ? Math.round(v / grain) * grain : v);
  dirtyPool(gpu);
  using x = gpu.upload(data, [rows, width], "x");
  const found = topK(gpu.stream, { x }, { k, groupLimit });
  using values = found.values;
  using indices = found.indices;
  assertEquals([values.shape, indices.shape, indices.dtype], [[rows, k], [rows, k], "u32"]);
  const [gotValues, gotIndices] = await gpu.stream.read(values, indices);
  const want = rowsOf(data, width).map((row) => topKRow(row, k));
  const name = `${k} of ${rows} x ${width}`;
  assertEquals([...gotIndices], want.flatMap((row) => row.indices), name);
  // Adding 0 makes -0, which the twin may return for 0 and the other way round, 0.
  assertEquals(Array.from(gotValues, (v) => v + 0), want.flatMap((row) => row.values.map((v) => v + 0)), name);
}

Deno.test("topK() agrees with its twin at one element, primes, around the number of threads and for whole rows", async () => {
  for (const [rows, width, k] of [[1, 1, 1], [3, 7, 7], [2, 8, 3], [5, 9, 9], [2, 131, 128], [1, 1031, 50]] as const) {
    await check(rows, width, k);
  }
});

Deno.test("topK() puts the lowest index first among equal elements, 0 and -0 among them", async () => {
  await check(3, 67, 40, 1);
  await check(2, 16, 16, 100);
});

Deno.test("topK() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width, k] of [[3, 63, 5], [3, 65, 65], [2, 2049, 20]] as const) await check(rows, width, k, 0.25);
  });
});

Deno.test("topK() finds as many of a vocabulary's logits as asked for, more than one launch may look through", async () => {
  await check(1, 49_152, 30);
  await check(2, 151_936, 9, 0.01);
  await check(1, 151_936, 128);
});

Deno.test("topK() folds rows over two grid dimensions", async () => {
  await check(7, 5, 2, 0, 3);
});

Deno.test("topK() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  const before = gpu.stats().dispatches;
  const { values, indices } = topK(gpu.stream, { x }, { k: 2 });
  assertEquals([values.shape, indices.shape, gpu.stats().dispatches - before], [[0, 2], [0, 2], 0]);
  values.dispose();
  indices.dispose();
});

Deno.test("topK() refuses k outside 1 to 128 or above the width", () => {
  using x = gpu.upload(normals("x", 400), [2, 200], "x");
  using narrow = gpu.upload(normals("x", 8), [2, 4], "narrow");
  for (const k of [0, 1.5, 129]) {
    assertThrows(
      () => topK(gpu.stream, { x }, { k }),
      RangeError,
      `Cannot find the ${k} largest elements of rows of 200: k must be an integer from 1 to 128`,
    );
  }
  assertThrows(
    () => topK(gpu.stream, { x: narrow }, { k: 5 }),
    RangeError,
    "Cannot find the 5 largest elements of rows of 4: k must be an integer from 1 to 4",
  );
});

Deno.test("topK() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
