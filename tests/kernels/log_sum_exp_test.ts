import { assertEquals, assertThrows } from "@std/assert";
import { logSumExp } from "../../kernels/log_sum_exp.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { logSumExpRow, softmaxRow } from "../reference/softmax.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { logitRows, logSumExpBound, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Positive weights of `count` rows, each summing to about one. */
function weightRows(count: number, width: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(count * width);
  rowsOf(normals("weights", count * width), width).forEach((row, r) => all.set(softmaxRow(row), r * width));
  return all;
}

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(
  rows: number,
  width: number,
  options: { weights?: "shared" | "each"; groupLimit?: number } = {},
): Promise<void> {
  const data = logitRows(rows, width);
  const count = options.weights === "each" ? rows : 1;
  const factors = weightRows(count, width);
  using x = gpu.upload(data, [rows, width], "x");
  using given = gpu.upload(factors, count === 1 ? [width] : [rows, width], "weights");
  const weights = options.weights ? given : undefined;
  using y = logSumExp(gpu.stream, { x }, { weights, groupLimit: options.groupLimit });
  assertEquals(y.shape, [rows]);
  const [got] = await gpu.stream.read(y);
  const parts = rowsOf(factors, width);
  const factorsOf = (r: number) => options.weights ? parts[r % count] : undefined;
  const each = rowsOf(data, width);
  const want = each.map((row, r) => logSumExpRow(row, factorsOf(r)));
  const bound = each.map((row, r) => logSumExpBound(row, factorsOf(r)));
  assertWithin(got, want, bound, `${options.weights ?? "no"} weights, ${rows} x ${width}`);
}

Deno.test("logSumExp() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("logSumExp() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("logSumExp() takes weights shared by all rows, or one row of weights for each", async () => {
  for (const weights of ["shared", "each"] as const) {
    for (const [rows, width] of [[1, 1], [5, 7], [4, 131]] as const) await check(rows, width, { weights });
  }
});

Deno.test("logSumExp() folds rows over two grid dimensions", async () => {
  await check(7, 5, { weights: "each", groupLimit: 3 });
});

Deno.test("logSumExp() repeats bit for bit", async () => {
  using x = gpu.upload(logitRows(4, 1031), [4, 1031], "x");
  using once = logSumExp(gpu.stream, { x });
  using again = logSumExp(gpu.stream, { x });
  const [a, b] = await gpu.stream.read(once, again);
  assertEquals(a, b);
});

Deno.test("logSumExp() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  const before = gpu.stats().dispatches;
  using y = logSumExp(gpu.stream, { x });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("logSumExp() refuses empty rows and weights that do not fit", () => {
  using empty = gpu.tensor([2, 0], "empty");
  assertThrows(
    () => logSumExp(gpu.stream, { x: empty }),
    RangeError,
    "Cannot take the log-sum-exp: rows of x must have at least one element, got [2, 0]",
  );
  using x = gpu.upload(logitRows(2, 3), [2, 3], "x");
  using weights = gpu.upload(new Float32Array(2), [2], "weights");
  assertThrows(
    () => logSumExp(gpu.stream, { x }, { weights }),
    RangeError,
    "Cannot take the log-sum-exp: weights must have 3 elements or the shape of x [2, 3], got [2]",
  );
});

Deno.test("logSumExp() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
