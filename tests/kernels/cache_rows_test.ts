import { assertEquals, assertThrows } from "@std/assert";
import { cacheRows } from "../../kernels/cache_rows.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { scatterRows } from "../reference/row_moves.ts";
import { normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(width: number, rows: readonly number[], groupLimit?: number): Promise<void> {
  const [kData, vData] = [normals("k", rows.length * width), normals("v", rows.length * width)];
  const [kBase, vBase] = [normals("cached k", 8 * width), normals("cached v", 8 * width)];
  using k = gpu.upload(kData, [rows.length, width], "k");
  using v = gpu.upload(vData, [rows.length, width], "v");
  using index = gpu.upload(Uint32Array.from(rows), [rows.length], "index");
  using cachedK = gpu.upload(kBase, [2, 4, width], "cached k");
  using cachedV = gpu.upload(vBase, [2, 4, width], "cached v");
  cacheRows(gpu.stream, { k, v, index, cache: { k: cachedK, v: cachedV } }, { groupLimit });
  const [gotK, gotV] = await gpu.stream.read(cachedK, cachedV);
  assertEquals(Array.from(gotK), Array.from(scatterRows(kData, width, rows, kBase)));
  assertEquals(Array.from(gotV), Array.from(scatterRows(vData, width, rows, vBase)));
}

Deno.test("cacheRows() overwrites the chosen rows of keys and values and no others", async () => {
  await check(1, [5]);
  await check(7, [5, 0, 3]);
  await check(9, [7, 6, 5, 4, 3, 2, 1, 0]);
  await withGpuThreads(gpu, async () => await check(65, [4, 1]));
});

Deno.test("cacheRows() skips indices past the end", async () => {
  await check(5, [2, 8, 4294967295, 1]);
});

Deno.test("cacheRows() folds rows over two grid dimensions", async () => {
  await check(5, [0, 7, 2, 3, 6, 5, 1], 3);
});

Deno.test("cacheRows() of no rows dispatches nothing", () => {
  using none = gpu.tensor([0, 3], "none");
  using index = gpu.tensor([0], "index", "u32");
  using k = gpu.upload(normals("k", 6), [2, 3], "k");
  using v = gpu.upload(normals("v", 6), [2, 3], "v");
  const before = gpu.stats().dispatches;
  cacheRows(gpu.stream, { k: none, v: none, index, cache: { k, v } });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("cacheRows() refuses other sizes and tensors cached into themselves", () => {
  using k = gpu.upload(normals("k", 6), [2, 3], "k");
  using v = gpu.upload(normals("v", 6), [2, 3], "v");
  using more = gpu.upload(normals("more", 9), [3, 3], "more");
  using wide = gpu.upload(normals("wide", 8), [2, 4], "wide");
  using index = gpu.upload(Uint32Array.of(0, 1), [2], "index");
  using one = gpu.upload(Uint32Array.of(0), [1], "one");
  const cache = { k: more, v: wide };
  const refused = (input: Partial<Parameters<typeof cacheRows>[1]>, message: string): void => {
    assertThrows(
      () => cacheRows(gpu.stream, { k, v, index, cache, ...input }),
      RangeError,
      `Cannot cache keys and values: ${message}`,
    );
  };
  refused({}, "cache.v must be 3 wide, got [2, 4]");
  refused({ v: wide }, "v must be 3 wide, got [2, 4]");
  refused(
    { v: more, cache: { k: more, v: more } },
    "keys and values must have as many rows, got k [2, 3], v [3, 3], cache.k [3, 3] and cache.v [3, 3]",
  );
  refused({ index: one, cache: { k: more, v: more } }, "index must have 2 elements, got 1 in [1]");
  assertThrows(
    () => cacheRows(gpu.stream, { k, v, index, cache: { k: more, v: more } }),
    TypeError,
    'Cannot cache keys and values: cache.k shares its buffer with operand "more"',
  );
});

Deno.test("cacheRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
