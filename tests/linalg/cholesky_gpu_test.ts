import { assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Cholesky, IllConditionedError } from "../../src/linalg/cholesky.ts";
import { GpuCholesky } from "../../src/linalg/cholesky_gpu.ts";
import { addScaled, frobeniusNorm, type Matrix, matrix, multiplyNt } from "../../src/linalg/dense.ts";
import { normalMatrix, spdMatrix } from "../reference/random.ts";

const gpu = await Gpu.open();
const UNIT = 2 ** -24;

function backwardError(a: Matrix, x: Matrix, b: Matrix): number {
  const residual = frobeniusNorm(addScaled(multiplyNt(x, a), b, -1));
  return residual / (frobeniusNorm(a) * frobeniusNorm(x) + frobeniusNorm(b));
}

Deno.test("GpuCholesky.solve() has a backward error of f32 size around block edges and counts of right-hand sides", async () => {
  for (const [n, count] of [[1, 1], [2, 3], [63, 4], [64, 5], [65, 1], [131, 9], [192, 2]]) {
    for (const condition of [1, 1e3]) {
      const a = spdMatrix(n, condition, n);
      const b = normalMatrix(count, n, 7);
      using factor = await GpuCholesky.factor(gpu.stream, a);
      assertEquals(factor.shift, 0);
      // n terms a sum in the factor and in each of two solves; inverted blocks of 64 lose their condition at most.
      assertLess(backwardError(a, await factor.solve(b), b), 4 * (n + 64) * UNIT * Math.sqrt(condition));
    }
  }
});

Deno.test("GpuCholesky factors a matrix whose diagonal spans 40 decades", async () => {
  const n = 70;
  const a = spdMatrix(n, 10, 3);
  const scale = Float64Array.from({ length: n }, (_, i) => 10 ** (20 * Math.cos(i)));
  const scaled = matrix(n, n, a.data.map((value, at) => value * scale[Math.floor(at / n)] * scale[at % n]));
  const known = normalMatrix(2, n, 4);
  const b = multiplyNt(known, a);
  using factor = await GpuCholesky.factor(gpu.stream, scaled, { maxCondition: Infinity });
  const x = await factor.solve(matrix(2, n, b.data.map((value, at) => value * scale[at % n])));
  const error = addScaled(matrix(2, n, x.data.map((value, at) => value * scale[at % n])), known, -1);
  assertLess(frobeniusNorm(error) / frobeniusNorm(known), 4 * (n + 64) * UNIT * 10);
});

Deno.test("GpuCholesky.solve() keeps tiny and zero right-hand sides apart", async () => {
  const n = 66;
  const a = spdMatrix(n, 10, 1);
  const b = normalMatrix(3, n, 2);
  for (let i = 0; i < n; i++) {
    b.data[i] *= 1e-60;
    b.data[n + i] = 0;
  }
  using factor = await GpuCholesky.factor(gpu.stream, a);
  const x = await factor.solve(b);
  const wanted = new Cholesky(a).solve(b);
  for (const r of [0, 2]) {
    const row = (m: Matrix): Matrix => matrix(1, n, m.data.slice(r * n, (r + 1) * n));
    assertLess(
      frobeniusNorm(addScaled(row(x), row(wanted), -1)) / frobeniusNorm(row(wanted)),
      4 * (n + 64) * UNIT * 10,
    );
  }
  assertEquals(x.data.slice(n, 2 * n).every((value) => value === 0), true);
  assertEquals((await factor.solve(matrix(0, n))).rows, 0);
});

Deno.test("GpuCholesky.conditionEstimate agrees with float64 where f32 can see the spectrum", async () => {
  for (const condition of [1, 1e3, 1e5]) {
    const a = spdMatrix(100, condition, 2);
    using factor = await GpuCholesky.factor(gpu.stream, a);
    const exact = new Cholesky(a).conditionEstimate;
    // An f32 factor moves the smallest eigenvalue by n units of the largest.
    const slack = 2 * 100 * UNIT * condition;
    assertLess(Math.abs(factor.conditionEstimate / exact - 1), 0.01 + slack);
  }
});

Deno.test("GpuCholesky shifts a matrix that f32 cannot hold, and says so", async () => {
  using factor = await GpuCholesky.factor(gpu.stream, spdMatrix(80, 1e11, 2));
  assertGreater(factor.shift, 0);
  assertLess(factor.shift, 1e-4);
});

Deno.test("GpuCholesky.factor() refuses what is not positive definite, empty, not square or too ill-conditioned", async () => {
  const indefinite = matrix(2, 2, [1, 2, 2, 1]);
  await assertRejects(
    () => GpuCholesky.factor(gpu.stream, indefinite, { label: "the moment" }),
    IllConditionedError,
    "Cannot factor the moment [2, 2]: it is not positive definite in f32, also with 0.01 of its diagonal added",
  );
  for (const value of [0, -1, NaN, Infinity]) {
    await assertRejects(
      () => GpuCholesky.factor(gpu.stream, matrix(1, 1, [value])),
      IllConditionedError,
      `element 0 of its diagonal is ${value}, wanted a positive one`,
    );
  }
  await assertRejects(
    () => GpuCholesky.factor(gpu.stream, matrix(0, 0)),
    RangeError,
    "Cannot factor the matrix: wanted at least one row, got [0, 0]",
  );
  await assertRejects(() => GpuCholesky.factor(gpu.stream, matrix(1, 2)), RangeError, "wanted a square one");
  const error = await assertRejects(
    () => GpuCholesky.factor(gpu.stream, spdMatrix(20, 1e5, 1), { maxCondition: 1e3 }),
    IllConditionedError,
    "wanted at most 1.0e+3. Add a ridge or use more data",
  );
  assertGreater((error as IllConditionedError).conditionEstimate, 1e4);
});

Deno.test("GpuCholesky.solve() refuses rows of another size", async () => {
  using factor = await GpuCholesky.factor(gpu.stream, spdMatrix(3, 10, 1));
  await assertRejects(
    () => factor.solve(matrix(1, 2)),
    RangeError,
    "Cannot solve with a factor [3, 3]: right-hand sides must be rows of 3, got [1, 2]",
  );
});

Deno.test("GpuCholesky leaves no tensor behind, also after refusals", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
