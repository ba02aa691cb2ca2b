import { assertEquals, assertThrows } from "@std/assert";
import { normScale } from "../../kernels/norm_scale.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { rowStatistics } from "../reference/norms.ts";
import { scaleBound } from "./norm_bounds.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const EPS = Math.fround(1e-5);

/** Compares the scale of every row with the twin, centred and not. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const data = normals("x", rows * width, 4, 2);
  using x = gpu.upload(data, [rows, width], "x");
  for (const centre of [true, false]) {
    using scale = normScale(gpu.stream, { x }, { eps: EPS, centre, groupLimit });
    const [got] = await gpu.stream.read(scale);
    const each = Array.from({ length: rows }, (_, r) => data.subarray(r * width, (r + 1) * width));
    const want = each.map((row) => rowStatistics(row, EPS, centre).scale);
    const bound = each.map((row, r) => scaleBound(row, EPS, centre) * want[r]!);
    assertWithin(got, want, bound, `scale of ${rows} x ${width}, centre ${centre}`);
  }
}

Deno.test("normScale() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [3, 7], [2, 8], [5, 9], [1, 1031]] as const) await check(rows, width);
  await withGpuThreads(gpu, async () => await check(3, 65));
});

Deno.test("normScale() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("normScale() gives one value a row of all leading dimensions", () => {
  using x = gpu.upload(normals("x", 24), [2, 3, 4], "x");
  using scale = normScale(gpu.stream, { x }, { eps: EPS, centre: true });
  assertEquals(scale.shape, [6]);
  using empty = gpu.tensor([2, 0, 4], "empty");
  const before = gpu.stats().dispatches;
  using none = normScale(gpu.stream, { x: empty }, { eps: EPS, centre: true });
  assertEquals([none.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("normScale() refuses an input that is no f32", () => {
  using ids = gpu.upload(new Uint32Array(4), [4], "ids");
  assertThrows(
    () => normScale(gpu.stream, { x: ids }, { eps: EPS, centre: true }),
    TypeError,
    'Cannot compute the scale of a norm: x must be f32, got "ids" of u32',
  );
});

Deno.test("normScale() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
