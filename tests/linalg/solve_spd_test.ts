import { assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Cholesky, IllConditionedError } from "../../src/linalg/cholesky.ts";
import { addScaled, frobeniusNorm, matrix, multiplyNt } from "../../src/linalg/dense.ts";
import { weightedMoment } from "../../src/linalg/metric.ts";
import { gpuMetric, solveSpd } from "../../src/linalg/solve_spd.ts";
import { memitUpdate } from "../../src/linalg/thin_update.ts";
import { momentMetric } from "../../src/linalg/metric.ts";
import { normalMatrix, randomMoment, spdMatrix } from "../reference/random.ts";

const gpu = await Gpu.open();
const UNIT = 2 ** -24;

Deno.test("solveSpd() returns the solution rounded to f32, with its backward error", async () => {
  for (const [n, count, condition] of [[1, 1, 1], [65, 3, 1e3], [130, 5, 1e6]]) {
    const values = Float32Array.from(spdMatrix(n, condition, n).data);
    const right = Float32Array.from(normalMatrix(count, n, 3).data);
    using a = gpu.upload(values, [n, n], "a");
    using b = gpu.upload(right, [count, n], "b");
    const solution = await solveSpd(gpu.stream, { a, b });
    using x = solution.x;
    assertEquals(x.shape, [count, n]);
    const [got] = await gpu.stream.read(x);
    const xMatrix = matrix(count, n, got), aMatrix = matrix(n, n, values), bMatrix = matrix(count, n, right);
    const residual = frobeniusNorm(addScaled(multiplyNt(xMatrix, aMatrix), bMatrix, -1));
    const scale = frobeniusNorm(aMatrix) * frobeniusNorm(xMatrix) + frobeniusNorm(bMatrix);
    // Rounding x by half a unit each moves A x by that much of |A| |x|.
    assertLess(residual / scale, 1.01 * UNIT);
    assertLess(Math.abs(solution.backwardError - residual / scale), 1e-6 * UNIT + 1e-4 * solution.backwardError);
    assertLess(solution.iterations, 8);
    assertEquals(solution.shift, 0);
    assertGreater(solution.conditionEstimate, condition / 10);
  }
});

Deno.test("solveSpd() solves a system that f32 had to shift, and refuses one beyond that with the estimate", async () => {
  const n = 80;
  const m = spdMatrix(n, 1e9, 4);
  const known = normalMatrix(2, n, 5);
  using metric = await gpuMetric(gpu.stream, m);
  assertGreater(metric.shift, 0);
  const { x, iterations } = await metric.solve(multiplyNt(known, m));
  assertLess(frobeniusNorm(addScaled(x, known, -1)) / frobeniusNorm(known), 1e-12 * 1e9 * n);
  assertGreater(iterations, 2);
  using hard = await gpuMetric(gpu.stream, m, { maxIterations: 2, label: "the second moment" });
  const error = await assertRejects(
    () => hard.applyInverse(normalMatrix(1, n, 1)),
    IllConditionedError,
    "Cannot solve with the second moment [80, 80]: a backward error of",
  );
  assertEquals((error as IllConditionedError).conditionEstimate, hard.conditionEstimate);
});

Deno.test("gpuMetric() gives the same write as the factorisation in float64", async () => {
  const dMlp = 70, u = 4;
  const moment = randomMoment(dMlp, 200, 1);
  const system = { keys: normalMatrix(u, dMlp, 2), residual: normalMatrix(u, 6, 3), divisor: 2 };
  using metric = await gpuMetric(gpu.stream, weightedMoment(moment, 0.5));
  const onGpu = await memitUpdate({ ...system, metric });
  const onCpu = await memitUpdate({ ...system, metric: momentMetric(moment, { lambda: 0.5 }) });
  const expand = (update: typeof onGpu) => multiplyNt(update.left, update.right);
  const error = frobeniusNorm(addScaled(expand(onGpu), expand(onCpu), -1)) / frobeniusNorm(expand(onCpu));
  assertLess(error, 1e-12 * 8 * new Cholesky(weightedMoment(moment, 0.5)).conditionEstimate);
  assertLess(onGpu.backwardError, 1e-10);
});

Deno.test("solveSpd() refuses shapes and kinds that do not fit", async () => {
  using a = gpu.tensor([3, 4], "a");
  using b = gpu.tensor([2, 3], "b");
  using words = gpu.tensor([3, 3], "words", "u32");
  await assertRejects(
    () => solveSpd(gpu.stream, { a, b }),
    RangeError,
    "Cannot solve a system with a [3, 4] and b [2, 3]: wanted [size, size] and [count, size]",
  );
  await assertRejects(
    () => solveSpd(gpu.stream, { a: words, b }),
    TypeError,
    "Cannot solve a system with a of u32 and b of f32: both must be f32",
  );
});

Deno.test("solveSpd() leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
