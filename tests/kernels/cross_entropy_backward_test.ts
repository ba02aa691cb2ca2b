import { assert, assertEquals, assertThrows } from "@std/assert";
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { crossEntropyBackward } from "../../kernels/cross_entropy_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { crossEntropyRowBackward, logSoftmaxRow } from "../reference/softmax.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { crossEntropyBackwardBound, logitRows, logSoftmaxBound, rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();

/** Runs the kernel on [rows, vocab] and compares every row with the twin. */
async function check(rows: number, vocab: number, groupLimit?: number): Promise<void> {
  const data = logitRows(rows, vocab);
  const each = rowsOf(data, vocab);
  const wanted = Uint32Array.from({ length: rows }, (_, r) => (r * 5 + vocab - 1) % vocab);
  const factors = normals("weight", rows);
  const logProbs = Float32Array.from(each, (row, r) => logSoftmaxRow(row)[wanted[r]!]!);
  using logits = gpu.upload(data, [rows, vocab], "logits");
  using target = gpu.upload(wanted, [rows], "target");
  using weight = gpu.upload(factors, [rows], "weight");
  using logProb = gpu.upload(logProbs, [rows], "logProb");
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logProb, target, weight }, { groupLimit });
  assertEquals(dLogits.shape, [rows, vocab]);
  const [got] = await gpu.stream.read(dLogits);
  each.forEach((row, r) => {
    const operands = [row, logProbs[r]!, wanted[r]!, factors[r]!] as const;
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
  using logProb = gpu.upload(Float32Array.of(logSoftmaxRow(data)[3]!), [1], "logProb");
  using target = gpu.upload(Uint32Array.of(3), [1], "target");
  using weight = gpu.zeros([1], "weight");
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logProb, target, weight });
  const [got] = await gpu.stream.read(dLogits);
  assertEquals(Array.from(got, Math.abs), new Array(7).fill(0));
});

Deno.test("crossEntropyBackward() of an almost certain token keeps the small gradient, however large the logits", async () => {
  const row = Float32Array.of(50000, 49995.25, 49993, 49992);
  using logits = gpu.upload(row, [1, 4], "logits");
  using target = gpu.upload(Uint32Array.of(0), [1], "target");
  using weight = gpu.upload(Float32Array.of(1), [1], "weight");
  const entropy = crossEntropy(gpu.stream, { logits, target });
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logProb: entropy.logProb, target, weight });
  const [got] = await gpu.stream.read(dLogits);
  for (const tensor of Object.values(entropy)) tensor.dispose();
  const exact = logSoftmaxRow(row);
  // The error of the log-probability is one factor of all probabilities.
  const slack = logSoftmaxBound(row)[0]!;
  const bound = crossEntropyBackwardBound(row, exact[0]!, 0, 1).map((own, i) => own + slack * Math.exp(exact[i]!));
  assertWithin(got, crossEntropyRowBackward(row, exact[0]!, 0, 1), bound, "gradient");
  // A log-sum-exp is rounded as coarsely as the logits are large.
  const rounding = Math.abs(Math.expm1(row[0]! - Math.fround(row[0]! - exact[0]!)) - Math.expm1(exact[0]!));
  assert(bound[0]! < rounding / 8, `bound ${bound[0]}, by a log-sum-exp ${rounding} apart`);
});

Deno.test("crossEntropyBackward()'s twin is the slope of the negative log-probability", () => {
  const x = normals("x", 7);
  const loss = (at: Float64Array) => -1.5 * logSoftmaxRow(at)[2]!;
  const want = crossEntropyRowBackward(x, logSoftmaxRow(x)[2]!, 2, 1.5);
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
  using dLogits = crossEntropyBackward(gpu.stream, { logits, logProb: none, target, weight: none });
  assertEquals([dLogits.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("crossEntropyBackward() refuses operands that do not fit", () => {
  using logits = gpu.upload(logitRows(3, 4), [3, 4], "logits");
  using three = gpu.upload(normals("three", 3), [3], "three");
  using two = gpu.upload(normals("two", 2), [2], "two");
  using target = gpu.upload(Uint32Array.of(0, 0, 0), [3], "target");
  const operands = { logits, logProb: three, target, weight: three };
  for (const name of ["logProb", "weight"] as const) {
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
