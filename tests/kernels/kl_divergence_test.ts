import { assertEquals, assertThrows } from "@std/assert";
import { klDivergence } from "../../kernels/kl_divergence.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { klDivergenceRow, logSumExpRow } from "../reference/softmax.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { klDivergenceBound, logitRows, referenceRows, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, vocab] and compares every row with the twin. */
async function check(rows: number, vocab: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, vocab);
  const each = rowsOf(data, vocab);
  const totals = Float32Array.from(each, (row) => logSumExpRow(row));
  const before = referenceRows(rows, vocab);
  using logits = gpu.upload(data, [rows, vocab], "logits");
  using logSumExp = gpu.upload(totals, [rows], "logSumExp");
  using reference = gpu.upload(before, [rows, vocab], "reference");
  using divergence = klDivergence(gpu.stream, { logits, logSumExp, reference }, { groupLimit });
  assertEquals(divergence.shape, [rows]);
  const [got] = await gpu.stream.read(divergence);
  const operands = each.map((row, r) => [row, totals[r]!, before.subarray(r * vocab, (r + 1) * vocab)] as const);
  const want = operands.map((row) => klDivergenceRow(...row));
  assertWithin(got, want, operands.map((row) => klDivergenceBound(...row)), `${rows} x ${vocab}`);
}

Deno.test("klDivergence() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("klDivergence() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("klDivergence() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("klDivergence() of two biased coins is the textbook value", async () => {
  using logits = gpu.upload(Float32Array.of(Math.log(3), 0), [1, 2], "logits");
  using logSumExp = gpu.upload(Float32Array.of(Math.log(4)), [1], "logSumExp");
  const half = Float32Array.of(Math.log(0.5), Math.log(0.5));
  using reference = gpu.upload(half, [1, 2], "reference");
  using divergence = klDivergence(gpu.stream, { logits, logSumExp, reference });
  const [got] = await gpu.stream.read(divergence);
  const want = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
  // Rounding the four inputs adds at most as much again.
  assertWithin(got, [want], [2 * klDivergenceBound([Math.log(3), 0], Math.log(4), half)], "divergence");
});

Deno.test("klDivergence() of no rows dispatches nothing", () => {
  using logits = gpu.tensor([0, 4], "logits");
  using logSumExp = gpu.tensor([0], "logSumExp");
  const before = gpu.stats().dispatches;
  using divergence = klDivergence(gpu.stream, { logits, logSumExp, reference: logits });
  assertEquals([divergence.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("klDivergence() refuses operands that do not fit", () => {
  using logits = gpu.upload(logitRows(3, 4), [3, 4], "logits");
  using three = gpu.upload(normals("three", 3), [3], "three");
  assertThrows(
    () => klDivergence(gpu.stream, { logits, logSumExp: three, reference: three }),
    RangeError,
    "Cannot compute the divergence: reference must have 12 elements, got 3 in [3]",
  );
  assertThrows(
    () => klDivergence(gpu.stream, { logits, logSumExp: logits, reference: logits }),
    RangeError,
    "Cannot compute the divergence: logSumExp must have 3 elements, got 12 in [3, 4]",
  );
});

Deno.test("klDivergence() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
