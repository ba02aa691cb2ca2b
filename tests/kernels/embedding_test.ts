import { assertEquals, assertThrows } from "@std/assert";
import { embedding } from "../../kernels/embedding.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { gatherRows } from "../reference/row_moves.ts";
import { dirtyPool, normals, uploadWeight, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(
  width: number,
  index: readonly number[],
  dtype: "f32" | "f16" | "bf16" = "f32",
  groupLimit?: number,
): Promise<void> {
  const vocab = 11;
  const { tensor, values } = uploadWeight(gpu, normals("weight", vocab * width), [vocab, width], dtype);
  using weight = tensor;
  using ids = gpu.upload(Uint32Array.from(index), [index.length], "ids");
  using y = embedding(gpu.stream, { weight, ids }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  assertEquals(Array.from(got), Array.from(gatherRows(values, width, index)));
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

Deno.test("embedding() gives zeros for ids from vocab up", async () => {
  dirtyPool(gpu);
  await check(5, [2, 11, 4294967295]);
});

Deno.test("embedding() folds rows over two grid dimensions", async () => {
  await check(5, [0, 1, 2, 3, 4, 5, 6], "f32", 3);
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
