import { assertEquals, assertThrows } from "@std/assert";
import { gatherColumns } from "../../kernels/gather_columns.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/sub_values.ts";
import { dirtyPool, normals, PACKED_WIDTHS, uploadWeight, type WeightDtype, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(
  height: number,
  columns: readonly number[],
  dtype: WeightDtype = "f32",
  options: { groupLimit?: number; width?: number; device?: Gpu } = {},
): Promise<void> {
  const { width = 11, device = gpu, groupLimit } = options;
  const { tensor, values } = uploadWeight(device, normals("weight", height * width), [height, width], dtype);
  using weight = tensor;
  using index = device.upload(Uint32Array.from(columns), [columns.length], "index");
  using y = gatherColumns(device.stream, { weight, index }, { groupLimit });
  const [got] = await device.stream.read(y);
  assertEquals(y.shape, [columns.length, height]);
  assertEquals(Array.from(got), Array.from(Float32Array.from(twin.gatherColumns(values, width, columns))));
}

Deno.test("gatherColumns() copies columns exactly, repeated ones too", async () => {
  await check(1, [4]);
  await check(7, [0, 10, 3, 3, 9]);
  await check(8, [10]);
  await check(9, [10, 0]);
  await withGpuThreads(gpu, async () => await check(65, [1, 2, 1]));
});

Deno.test("gatherColumns() widens half weights of odd width exactly", async () => {
  await check(7, [0, 1, 2, 10], "f16");
  await check(7, [0, 1, 2, 10], "bf16");
});

Deno.test("gatherColumns() widens packed weights, and reads those that no binding holds by ranges of rows", async () => {
  using device = await Gpu.open({ maxBindingBytes: 40_000 });
  for (const [dtype, width] of PACKED_WIDTHS) {
    await check(5, [0, width - 1, 17, width], dtype, { width });
    await check(2000, [0, width - 1, 17, width], dtype, { device, width });
  }
  await check(1000, [3, 31, 32], "f32", { device, width: 32 });
  assertEquals(device.memory().live, 0);
});

Deno.test("gatherColumns() gives zeros for indices from width up", async () => {
  dirtyPool(gpu);
  await check(5, [2, 11, 4294967295]);
});

Deno.test("gatherColumns() folds rows over two grid dimensions", async () => {
  await check(5, [0, 1, 2, 3, 4, 5, 6], "f32", { groupLimit: 3 });
});

Deno.test("gatherColumns() fills one tensor from two weights", async () => {
  const [a, b] = [normals("a", 12), normals("b", 20)];
  using first = gpu.upload(a, [4, 3], "a");
  using second = gpu.upload(b, [4, 5], "b");
  using index = gpu.upload(Uint32Array.of(2, 0, 4), [3], "index");
  using out = gatherColumns(gpu.stream, { weight: first, index }, { rows: 2 });
  gatherColumns(gpu.stream, { weight: second, index }, { out, first: 2 });
  const [got] = await gpu.stream.read(out);
  const want = [...twin.gatherColumns(a, 3, [2, 0]), ...twin.gatherColumns(b, 5, [4])];
  assertEquals(Array.from(got), want);
});

Deno.test("gatherColumns() of no indices dispatches nothing", () => {
  using weight = gpu.upload(normals("w", 6), [2, 3], "weight");
  using index = gpu.tensor([0], "index", "u32");
  const before = gpu.stats().dispatches;
  using y = gatherColumns(gpu.stream, { weight, index });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 2], 0]);
});

Deno.test("gatherColumns() refuses a weight that is no matrix and rows outside the index", () => {
  using weight = gpu.upload(normals("w", 6), [2, 3], "weight");
  using index = gpu.upload(Uint32Array.of(0, 1), [2], "index");
  assertThrows(
    () => gatherColumns(gpu.stream, { weight: weight.view([6]), index }),
    RangeError,
    "Cannot gather columns: weight must be [height, width], got [6]",
  );
  assertThrows(
    () => gatherColumns(gpu.stream, { weight, index }, { first: 1, rows: 2 }),
    RangeError,
    "Cannot gather columns: rows 1 to 3 lie outside the 2 of index",
  );
});

Deno.test("gatherColumns() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
