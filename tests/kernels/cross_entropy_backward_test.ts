import { assertEquals, assertThrows } from "@std/assert";
import { crossEntropyBackward } from "../../kernels/cross_entropy_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { crossEntropyRowBackward, logSoftmaxRow, logSumExpRow } from "../reference/softmax.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { crossEntropyBackwardBound, logitRows, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, vocab] and compares every row with the twin. */
async function check(rows: number, vocab: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, vocab);
  const each = rowsOf(data, vocab);
  const wanted = Uint32Array.from({ length: rows }, (_, r) => (r * 5 + vocab - 1) % vocab);
  const factors = normals("weight", rows);
  const totals = Float32Array.from(each, (row) => logSumExpRow(row));
  using logits = gpu.upload(data, [rows, vocab], "logits");
  using target = gpu.upload(wanted, [rows], "target");
  using weight = gpu.upload(factors, [rows], "weight");
  using logSumExp = gpu.upload(totals, [rows], "logSumExp");
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logSumExp, target, weight }, { groupLimit });
  assertEquals(dLogits.shape, [rows, vocab]);
  const [got] = await gpu.stream.read(dLogits);
  each.forEach((row, r) => {
    const operands = [row, totals[r]!, wanted[r]!, factors[r]!] as const;
    const part = got.subarray(r * vocab, (r + 1) * vocab);
    const bound = crossEntropyBackwardBound(...operands);
    assertWithin(part, crossEntropyRowBackward(...operands), bound, `row ${r} of ${rows} x ${vocab}`);
  });
}

Deno.test("crossEntropyBackward() agrees with its twin at one element, primes and around a slice of a row", async () => {
  for (const [rows, vocab] of [[1, 1], [4, 7], [5, 9], [2, 4095], [1, 4096], [2, 4097], [1, 8193]] as const) {
    await check(rows, vocab);
  }
});

Deno.test("crossEntropyBackward() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, vocab] of [[4, 63], [4, 65], [2, 4097]] as const) await check(rows, vocab);
  });
});

Deno.test("crossEntropyBackward() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("crossEntropyBackward() gives zeros for a row of weight 0", async () => {
  const data = logitRows(1, 7);
  using logits = gpu.upload(data, [1, 7], "logits");
  using logSumExp = gpu.upload(Float32Array.of(logSumExpRow(data)), [1], "logSumExp");
  using target = gpu.upload(Uint32Array.of(3), [1], "target");
  using weight = gpu.zeros([1], "weight");
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logSumExp, target, weight });
  const [got] = await gpu.stream.read(dLogits);
  assertEquals(Array.from(got, Math.abs), new Array(7).fill(0));
});

Deno.test("crossEntropyBackward()'s twin is the slope of the negative log-probability", () => {
  const x = normals("x", 7);
  const loss = (at: Float64Array) => -1.5 * logSoftmaxRow(at)[2]!;
  const want = crossEntropyRowBackward(x, logSumExpRow(x), 2, 1.5);
  // The error of a slope is c step^2: doubling the step quadruples it, so the difference is three times that error.
  const [fine, coarse] = [centralDifference(loss, x, 1e-3), centralDifference(loss, x, 2e-3)];
  const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
  assertWithin(fine, want, bound, "slope");
});

Deno.test("crossEntropyBackward() of no rows dispatches nothing", () => {
  using logits = gpu.tensor([0, 4], "logits");
  using none = gpu.tensor([0], "none");
  using target = gpu.tensor([0], "target", "u32");
  const before = gpu.stats().dispatches;
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logSumExp: none, target, weight: none });
  assertEquals([dLogits.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("crossEntropyBackward() refuses operands that do not fit", () => {
  using logits = gpu.upload(logitRows(3, 4), [3, 4], "logits");
  using three = gpu.upload(normals("three", 3), [3], "three");
  using two = gpu.upload(normals("two", 2), [2], "two");
  using target = gpu.upload(Uint32Array.of(0, 0, 0), [3], "target");
  const operands = { logits, logSumExp: three, target, weight: three };
  for (const name of ["logSumExp", "weight"] as const) {
    assertThrows(
      () => crossEntropyBackward(gpu.stream, { ...operands, [name]: two }),
      RangeError,
      `Cannot differentiate the cross-entropy: ${name} must have 3 elements, got 2 in [2]`,
    );
  }
  assertThrows(
    () => crossEntropyBackward(gpu.stream, { ...operands, target: three }),
    TypeError,
    'Cannot differentiate the cross-entropy: target must be u32, got "three" of f32',
  );
});

Deno.test("crossEntropyBackward() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
