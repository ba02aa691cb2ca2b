import { assertEquals, assertThrows } from "@std/assert";
import { klDivergenceBackward } from "../../kernels/kl_divergence_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { klDivergenceRow, klDivergenceRowBackward, logSoftmaxRow, logSumExpRow } from "../reference/softmax.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { klDivergenceBackwardBound, logitRows, referenceRows, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, vocab] and compares every row with the twin. */
async function check(rows: number, vocab: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, vocab);
  const each = rowsOf(data, vocab);
  const totals = Float32Array.from(each, (row) => logSumExpRow(row));
  const before = referenceRows(rows, vocab);
  const past = rowsOf(before, vocab);
  const divergences = Float32Array.from(each, (row, r) => klDivergenceRow(row, totals[r]!, past[r]!));
  const factors = normals("weight", rows);
  using logits = gpu.upload(data, [rows, vocab], "logits");
  using logSumExp = gpu.upload(totals, [rows], "logSumExp");
  using reference = gpu.upload(before, [rows, vocab], "reference");
  using kl = gpu.upload(divergences, [rows], "kl");
  using weight = gpu.upload(factors, [rows], "weight");
  using dLogits = klDivergenceBackward(gpu.stream, { logits, logSumExp, reference, kl, weight }, { groupLimit });
  assertEquals(dLogits.shape, [rows, vocab]);
  const [got] = await gpu.stream.read(dLogits);
  each.forEach((row, r) => {
    const operands = [row, totals[r]!, past[r]!, divergences[r]!, factors[r]!] as const;
    const part = got.subarray(r * vocab, (r + 1) * vocab);
    const bound = klDivergenceBackwardBound(...operands);
    assertWithin(part, klDivergenceRowBackward(...operands), bound, `row ${r} of ${rows} x ${vocab}`);
  });
}

Deno.test("klDivergenceBackward() agrees with its twin at one element, primes and around a slice of a row", async () => {
  for (const [rows, vocab] of [[1, 1], [4, 7], [5, 9], [2, 4095], [1, 4096], [2, 4097], [1, 8193]] as const) {
    await check(rows, vocab);
  }
});

Deno.test("klDivergenceBackward() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, vocab] of [[4, 63], [4, 65], [2, 4097]] as const) await check(rows, vocab);
  });
});

Deno.test("klDivergenceBackward() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("klDivergenceBackward()'s twin is the slope of the divergence", () => {
  const x = normals("x", 7);
  const reference = logSoftmaxRow(normals("reference", 7));
  const loss = (at: Float64Array) => 1.5 * klDivergenceRow(at, logSumExpRow(at), reference);
  const total = logSumExpRow(x);
  const want = klDivergenceRowBackward(x, total, reference, klDivergenceRow(x, total, reference), 1.5);
  // The error of a slope is c step^2: doubling the step quadruples it, so the difference is three times that error.
  const [fine, coarse] = [centralDifference(loss, x, 1e-3), centralDifference(loss, x, 2e-3)];
  const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
  assertWithin(fine, want, bound, "slope");
});

Deno.test("klDivergenceBackward() of no rows dispatches nothing", () => {
  using logits = gpu.tensor([0, 4], "logits");
  using none = gpu.tensor([0], "none");
  const before = gpu.stats().dispatches;
  const operands = { logits, logSumExp: none, reference: logits, kl: none, weight: none };
  using dLogits = klDivergenceBackward(gpu.stream, operands);
  assertEquals([dLogits.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("klDivergenceBackward() refuses operands that do not fit", () => {
  using logits = gpu.upload(logitRows(3, 4), [3, 4], "logits");
  using three = gpu.upload(normals("three", 3), [3], "three");
  using two = gpu.upload(normals("two", 2), [2], "two");
  const operands = { logits, logSumExp: three, reference: logits, kl: three, weight: three };
  for (const name of ["logSumExp", "kl", "weight"] as const) {
    assertThrows(
      () => klDivergenceBackward(gpu.stream, { ...operands, [name]: two }),
      RangeError,
      `Cannot differentiate the divergence: ${name} must have 3 elements, got 2 in [2]`,
    );
  }
});

Deno.test("klDivergenceBackward() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
