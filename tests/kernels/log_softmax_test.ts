import { assertEquals, assertThrows } from "@std/assert";
import { logSoftmax } from "../../kernels/softmax.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { logSoftmaxRow } from "../reference/softmax.ts";
import { assertWithin, withGpuThreads } from "./operands.ts";
import { logitRows, logSoftmaxBound, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, width);
  using x = gpu.upload(data, [rows, width], "x");
  using y = logSoftmax(gpu.stream, { x }, { groupLimit });
  const [got] = await gpu.stream.read(y);
  rowsOf(data, width).forEach((row, r) => {
    const part = got.subarray(r * width, (r + 1) * width);
    assertWithin(part, logSoftmaxRow(row), logSoftmaxBound(row), `row ${r} of ${rows} x ${width}`);
  });
}

Deno.test("logSoftmax() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("logSoftmax() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("logSoftmax() agrees with its twin on four rows a subgroup, with rows and columns left over", async () => {
  for (const [rows, width] of [[4, 4], [5, 28], [7, 32], [6, 36], [9, 1028]] as const) await check(rows, width);
  await check(26, 8, 3);
});

Deno.test("logSoftmax() agrees with its twin where rows stay in registers", async () => {
  for (const [rows, width] of [[4, 256], [5, 1024]] as const) await check(rows, width);
});

Deno.test("logSoftmax() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("logSoftmax() keeps the digits of small differences between large logits", async () => {
  const values = Float32Array.of(1e4, 1e4 + 0.0009765625, 1e4 - 200);
  using x = gpu.upload(values, [3], "x");
  using y = logSoftmax(gpu.stream, { x });
  const [got] = await gpu.stream.read(y);
  assertWithin(got, logSoftmaxRow(values), logSoftmaxBound(values), "log-softmax");
});

Deno.test("logSoftmax() keeps the leading dimensions, and of no rows dispatches nothing", async () => {
  const data = logitRows(2, 3);
  using x = gpu.upload(data, [2, 1, 3], "x");
  using out = gpu.tensor([2, 1, 3], "out");
  const y = logSoftmax(gpu.stream, { x }, { out });
  assertEquals([y === out, y.shape], [true, [2, 1, 3]]);
  const [got] = await gpu.stream.read(out);
  assertWithin(got.subarray(0, 3), logSoftmaxRow(data.subarray(0, 3)), logSoftmaxBound(data.subarray(0, 3)), "out");
  using empty = gpu.tensor([0, 3], "empty");
  const before = gpu.stats().dispatches;
  using none = logSoftmax(gpu.stream, { x: empty });
  assertEquals([none.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("logSoftmax() refuses empty rows and its input as output", () => {
  using empty = gpu.tensor([2, 0], "empty");
  assertThrows(
    () => logSoftmax(gpu.stream, { x: empty }),
    RangeError,
    "Cannot take the log-softmax: rows of x must have at least one element, got [2, 0]",
  );
  using x = gpu.upload(logitRows(1, 3), [3], "x");
  assertThrows(
    () => logSoftmax(gpu.stream, { x }, { out: x }),
    TypeError,
    'Cannot take the log-softmax: out shares its buffer with operand "x"',
  );
});

Deno.test("logSoftmax() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
