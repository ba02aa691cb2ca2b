import { assertEquals, assertThrows } from "@std/assert";
import { softmax } from "../../kernels/softmax.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { softmaxRow } from "../reference/softmax.ts";
import { assertWithin, shadersOf, UNIT, withGpuThreads } from "./operands.ts";
import { logitRows, rowsOf, softmaxBound } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, width);
  using x = gpu.upload(data, [rows, width], "x");
  using y = softmax(gpu.stream, { x }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  rowsOf(data, width).forEach((row, r) => {
    const part = got.subarray(r * width, (r + 1) * width);
    assertWithin(part, softmaxRow(row), softmaxBound(row), `row ${r} of ${rows} x ${width}`);
  });
}

Deno.test("softmax() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("softmax() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("softmax() agrees with its twin on four rows a subgroup, with rows and columns left over", async () => {
  for (const [rows, width] of [[4, 8], [5, 24], [7, 64], [6, 72], [9, 1032]] as const) await check(rows, width);
  await check(26, 8, 3);
});

Deno.test("softmax() agrees with its twin where rows stay in registers, a quarter to all of them", async () => {
  for (const [rows, width] of [[4, 256], [5, 512], [6, 768], [7, 1024]] as const) await check(rows, width);
  await check(9, 256, 2);
});

Deno.test("softmax() takes a shader of subgroups for four rows or more of whole octets", () => {
  const shaders = ([[4, 8], [4, 768], [4, 1280], [3, 256], [4, 12]] as const).map(([rows, width]) => {
    using x = gpu.zeros([rows, width], "x");
    return shadersOf(gpu, () => softmax(gpu.stream, { x })[Symbol.dispose]())[0];
  });
  const [loaded, kept] = gpu.sharing.way === "broadcast"
    ? ["softmax_subgroup", "softmax_kept"]
    : ["softmax", "softmax"];
  assertEquals(shaders, [loaded, kept, loaded, "softmax", "softmax"]);
});

Deno.test("softmax() reaches the end of a row that few threads may not loop over twice", async () => {
  const data = new Float32Array(2 ** 18);
  for (const [i, logit] of [12, 11, 10].entries()) data[data.length - 1 - 9 * i] = logit;
  using x = gpu.upload(data, [data.length], "x");
  using y = softmax(gpu.stream, { x });
  const [got] = await gpu.stream.read(y);
  const want = softmaxRow(data);
  // The sum of all exponentials is the largest error.
  assertWithin(got, want, want.map((p) => 2 * data.length * UNIT * p), "long row");
});

Deno.test("softmax() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("softmax() of logits far from zero neither overflows nor vanishes", async () => {
  for (const shift of [1e4, -1e4]) {
    using x = gpu.upload(Float32Array.of(shift, shift, shift - 200), [3], "x");
    using y = softmax(gpu.stream, { x });
    const [got] = await gpu.stream.read(y);
    assertWithin(got, [0.5, 0.5, 0], softmaxBound([shift, shift, shift - 200]), `shift ${shift}`);
  }
});

Deno.test("softmax() keeps the leading dimensions, and of no rows dispatches nothing", async () => {
  const data = logitRows(2, 3);
  using x = gpu.upload(data, [2, 1, 3], "x");
  using out = gpu.tensor([2, 1, 3], "out");
  const y = softmax(gpu.stream, { x }, { out });
  assertEquals([y === out, y.shape], [true, [2, 1, 3]]);
  const [got] = await gpu.stream.read(out);
  assertWithin(got.subarray(0, 3), softmaxRow(data.subarray(0, 3)), softmaxBound(data.subarray(0, 3)), "out");
  using empty = gpu.tensor([0, 3], "empty");
  const before = gpu.stats().dispatches;
  using none = softmax(gpu.stream, { x: empty });
  assertEquals([none.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("softmax() refuses empty rows and its input as output", () => {
  using empty = gpu.tensor([2, 0], "empty");
  assertThrows(
    () => softmax(gpu.stream, { x: empty }),
    RangeError,
    "Cannot take the softmax: rows of x must have at least one element, got [2, 0]",
  );
  using x = gpu.upload(logitRows(1, 3), [3], "x");
  assertThrows(
    () => softmax(gpu.stream, { x }, { out: x }),
    TypeError,
    'Cannot take the softmax: out shares its buffer with operand "x"',
  );
});

Deno.test("softmax() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
