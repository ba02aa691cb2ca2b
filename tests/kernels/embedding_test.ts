import { assertEquals, assertThrows } from "@std/assert";
import { embedding } from "../../kernels/embedding.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { gatherRows } from "../reference/row_moves.ts";
import { dirtyPool, normals, PACKED_WIDTHS, uploadWeight, type WeightDtype, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(
  width: number,
  index: readonly number[],
  dtype: WeightDtype = "f32",
  options: { groupLimit?: number; vocab?: number; device?: Gpu } = {},
): Promise<void> {
  const { vocab = 11, device = gpu, groupLimit } = options;
  const { tensor, values } = uploadWeight(device, normals("weight", vocab * width), [vocab, width], dtype);
  using weight = tensor;
  using ids = device.upload(Uint32Array.from(index), [index.length], "ids");
  using y = embedding(device.stream, { weight, ids }, { groupLimit });
  const [got] = await device.stream.read(y);
  assertEquals(Array.from(got), Array.from(Float32Array.from(gatherRows(values, width, index))));
}

Deno.test("embedding() looks up rows exactly, repeated ids too", async () => {
  await check(1, [4]);
  await check(7, [0, 10, 3, 3, 9]);
  await check(9, [10, 0]);
  await withGpuThreads(gpu, async () => await check(65, [1, 2, 1]));
});

Deno.test("embedding() widens half weights of odd width exactly", async () => {
  await check(7, [0, 1, 2, 10], "f16");
  await check(7, [0, 1, 2, 10], "bf16");
});

Deno.test("embedding() widens packed weights to the reference values, each rounded once to f32", async () => {
  for (const [dtype, width] of PACKED_WIDTHS) await check(3 * width, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3], dtype);
});

Deno.test("embedding() reads a weight that no binding holds by ranges of rows", async () => {
  using device = await Gpu.open({ maxBindingBytes: 40_000 });
  const index = [0, 639, 640, 639, 4294967295, 1000, 999, 128, 127, 512];
  const before = device.stats().dispatches;
  await check(32, index, "f32", { device, vocab: 1000 });
  assertEquals(device.stats().dispatches - before, 4);
  for (const [dtype, width] of PACKED_WIDTHS) await check(width, index, dtype, { device, vocab: 2000 });
  assertEquals(device.memory().live, 0);
});

Deno.test("embedding() writes rows that no binding holds by ranges of rows", async () => {
  using device = await Gpu.open({ maxBindingBytes: 40_000 });
  const index = Array.from({ length: 701 }, (_, i) => (i * 389) % 1003);
  await check(33, index, "f32", { device, vocab: 1000 });
  await check(33, index, "bf16", { device, vocab: 1000, groupLimit: 3 });
  assertEquals(device.memory().live, 0);
});

Deno.test("embedding() gives zeros for ids from vocab up", async () => {
  dirtyPool(gpu);
  await check(5, [2, 11, 4294967295]);
});

Deno.test("embedding() folds rows over two grid dimensions", async () => {
  await check(5, [0, 1, 2, 3, 4, 5, 6], "f32", { groupLimit: 3 });
});

Deno.test("embedding() of no ids dispatches nothing", () => {
  using weight = gpu.upload(normals("w", 6), [2, 3], "weight");
  using ids = gpu.tensor([0], "ids", "u32");
  const before = gpu.stats().dispatches;
  using y = embedding(gpu.stream, { weight, ids });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("embedding() refuses a weight that is no matrix and ids that are no u32", () => {
  using weight = gpu.upload(normals("w", 6), [2, 3], "weight");
  assertThrows(
    () => embedding(gpu.stream, { weight: weight.view([6]), ids: weight }),
    RangeError,
    "Cannot embed: weight must be [vocab, width], got [6]",
  );
  assertThrows(
    () => embedding(gpu.stream, { weight, ids: weight }),
    TypeError,
    'Cannot embed: ids must be u32, got "weight" of f32',
  );
});

Deno.test("embedding() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
