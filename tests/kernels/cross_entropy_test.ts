import { assertEquals, assertThrows } from "@std/assert";
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { logSoftmaxRow, logSumExpRow } from "../reference/softmax.ts";
import { topKRow } from "../reference/top_k.ts";
import { assertWithin, withGpuThreads } from "./operands.ts";
import { logitRows, logSoftmaxBound, logSumExpBound, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, vocab] and compares every row with the twins. */
async function check(rows: number, vocab: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, vocab);
  const wanted = Uint32Array.from({ length: rows }, (_, r) => (r * 5 + vocab - 1) % vocab);
  using logits = gpu.upload(data, [rows, vocab], "logits");
  using target = gpu.upload(wanted, [rows], "target");
  const found = crossEntropy(gpu.stream, { logits, target }, { groupLimit });
  using logProb = found.logProb;
  using logSumExp = found.logSumExp;
  using argmax = found.argmax;
  assertEquals([logProb.shape, logSumExp.shape, argmax.shape, argmax.dtype], [[rows], [rows], [rows], "u32"]);
  const [gotLogProb, gotLogSumExp, gotArgmax] = await gpu.stream.read(logProb, logSumExp, argmax);
  const each = rowsOf(data, vocab);
  const name = `${rows} x ${vocab}`;
  const at = (of: (row: Float32Array) => Float64Array) => each.map((row, r) => of(row)[wanted[r]!]!);
  assertWithin(gotLogProb, at(logSoftmaxRow), at(logSoftmaxBound), `log-probability, ${name}`);
  assertWithin(gotLogSumExp, each.map((r) => logSumExpRow(r)), each.map((r) => logSumExpBound(r)), `sum, ${name}`);
  assertEquals([...gotArgmax], each.map((row) => topKRow(row, 1).indices[0]!), `argmax, ${name}`);
}

Deno.test("crossEntropy() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("crossEntropy() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("crossEntropy() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("crossEntropy() takes the lowest of equally likely tokens that one thread or several threads meet", async () => {
  const data = new Float32Array(2 * 40);
  for (const at of [8, 3, 17, 33]) data[40 + at] = 1;
  using logits = gpu.upload(data, [2, 40], "logits");
  using target = gpu.upload(Uint32Array.of(0, 0), [2], "target");
  const found = crossEntropy(gpu.stream, { logits, target });
  const [argmax] = await gpu.stream.read(found.argmax);
  assertEquals([...argmax], [0, 3]);
  for (const tensor of Object.values(found)) tensor.dispose();
});

Deno.test("crossEntropy() of an almost certain token keeps a small log-probability", async () => {
  using logits = gpu.upload(Float32Array.of(500, 500 - 12), [1, 2], "logits");
  using target = gpu.upload(Uint32Array.of(0), [1], "target");
  const found = crossEntropy(gpu.stream, { logits, target });
  const [logProb] = await gpu.stream.read(found.logProb);
  assertWithin(logProb, [-Math.log1p(Math.exp(-12))], logSoftmaxBound([500, 488]).subarray(0, 1), "log-probability");
  for (const tensor of Object.values(found)) tensor.dispose();
});

Deno.test("crossEntropy() of no rows dispatches nothing", () => {
  using logits = gpu.tensor([0, 4], "logits");
  using target = gpu.tensor([0], "target", "u32");
  const before = gpu.stats().dispatches;
  const found = crossEntropy(gpu.stream, { logits, target });
  assertEquals([found.logProb.shape, gpu.stats().dispatches - before], [[0], 0]);
  for (const tensor of Object.values(found)) tensor.dispose();
});

Deno.test("crossEntropy() refuses empty rows and targets that do not fit", () => {
  using empty = gpu.tensor([2, 0], "empty");
  using target = gpu.upload(Uint32Array.of(0, 0), [2], "target");
  assertThrows(
    () => crossEntropy(gpu.stream, { logits: empty, target }),
    RangeError,
    "Cannot compute the cross-entropy: rows of logits must have at least one element, got [2, 0]",
  );
  using logits = gpu.upload(logitRows(3, 4), [3, 4], "logits");
  assertThrows(
    () => crossEntropy(gpu.stream, { logits, target }),
    RangeError,
    "Cannot compute the cross-entropy: target must have 3 elements, got 2 in [2]",
  );
});

Deno.test("crossEntropy() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
