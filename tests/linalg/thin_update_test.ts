import { assertAlmostEquals, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { Cholesky, IllConditionedError } from "../../src/linalg/cholesky.ts";
import {
  addScaled,
  frobeniusNorm,
  type Matrix,
  matrix,
  multiply,
  multiplyNt,
  transpose,
} from "../../src/linalg/dense.ts";
import { momentMetric, weightedMoment } from "../../src/linalg/metric.ts";
import { chainUpdate, memitUpdate, type ThinUpdate } from "../../src/linalg/thin_update.ts";
import { normalMatrix, randomMoment } from "../reference/random.ts";

const UNIT = 2 ** -53;
const dMlp = 23, dModel = 11;
const moment = randomMoment(dMlp, 60, 1);

/** D = (R / divisor) Kᵀ (ridge M + K Kᵀ)⁻¹ as written, with the dMlp x dMlp system factored whole. */
function fullUpdate(m: Matrix, keys: Matrix, residual: Matrix, divisor: number, ridge: number): Matrix {
  const full = addScaled(multiply(transpose(keys), keys), m, ridge);
  const wanted = multiply(transpose(residual), keys);
  return new Cholesky(full).solve(matrix(wanted.rows, wanted.cols, wanted.data.map((x) => x / divisor)));
}

function expand(update: ThinUpdate): Matrix {
  return multiplyNt(update.left, update.right);
}

function assertClose(got: Matrix, wanted: Matrix, condition: number): void {
  const error = frobeniusNorm(addScaled(got, wanted, -1)) / frobeniusNorm(wanted);
  assertLess(error, 8 * wanted.cols * UNIT * condition);
}

Deno.test("memitUpdate() equals the full closed form for fewer, as many and more keys than dimensions", async () => {
  for (const u of [1, 2, 5, dMlp, 40]) {
    const keys = normalMatrix(u, dMlp, u), residual = normalMatrix(u, dModel, u + 50);
    const metric = momentMetric(moment, { lambda: 0.7 });
    const update = await memitUpdate({ keys, residual, divisor: 3, metric });
    assertEquals([update.left.rows, update.left.cols], [dModel, u]);
    assertEquals([update.right.rows, update.right.cols], [dMlp, u]);
    const wanted = fullUpdate(weightedMoment(moment, 0.7), keys, residual, 3, 1);
    assertClose(expand(update), wanted, update.conditionEstimate);
    assertLess(update.backwardError, 4 * dMlp * UNIT * metric.conditionEstimate);
  }
});

Deno.test("memitUpdate() writes the residual exactly where the moment weighs nothing", async () => {
  const keys = normalMatrix(3, dMlp, 7), residual = normalMatrix(3, dModel, 8);
  const metric = momentMetric(moment, { lambda: 1e-9 });
  const d = expand(await memitUpdate({ keys, residual, divisor: 1, metric }));
  const reached = multiplyNt(keys, d); // [3, dModel]
  // What is left is R (I + KᵀG)⁻¹, of the order of lambda; 1e-5 leaves room for the moment's condition.
  assertLess(frobeniusNorm(addScaled(reached, residual, -1)), 1e-5 * frobeniusNorm(residual));
});

Deno.test("chainUpdate() equals (R / divisor) (ridge I + KᵀM⁻¹K)⁻¹ KᵀM⁻¹ with another ridge", async () => {
  const keys = normalMatrix(6, dMlp, 3), residual = normalMatrix(6, dModel, 4);
  for (const ridge of [0.01, 1, 5]) {
    const metric = momentMetric(moment, { lambda: 1, eps: 1e-4 });
    const update = await chainUpdate({ keys, residual, divisor: Math.sqrt(2), metric }, { ridge });
    const wanted = fullUpdate(weightedMoment(moment, 1, 1e-4), keys, residual, Math.sqrt(2), ridge);
    assertClose(expand(update), wanted, update.conditionEstimate * Math.max(1, 1 / ridge));
  }
});

Deno.test("chainUpdate() solves repeated keys, which the ridge alone makes solvable", async () => {
  const key = normalMatrix(1, dMlp, 5);
  const keys = matrix(2, dMlp, [...key.data, ...key.data]);
  const residual = matrix(2, 1, [1, 3]);
  const metric = momentMetric(moment, { lambda: 1, eps: 1e-4 });
  const ridge = 1e-6;
  const update = await chainUpdate({ keys, residual, divisor: 1, metric }, { ridge });
  // Two equal keys with outputs 1 and 3: both get the mean, up to ridge / (2 kᵀM⁻¹k).
  const strength = dotRows(key, new Cholesky(weightedMoment(moment, 1, 1e-4)).solve(key));
  const wanted = 4 * strength / (ridge + 2 * strength);
  for (const got of multiplyNt(expand(update), keys).data) {
    assertAlmostEquals(got, wanted, 64 * UNIT * update.conditionEstimate * wanted);
  }
});

Deno.test("chainUpdate() takes a solver that answers later and reports a poor one in the residual", async () => {
  const keys = normalMatrix(4, dMlp, 3), residual = normalMatrix(4, dModel, 4);
  const metric = momentMetric(moment, { lambda: 1 });
  const rough = {
    ...metric,
    applyInverse: (rows: Matrix): Promise<Matrix> =>
      Promise.resolve(metric.applyInverse(rows)).then((x) => matrix(x.rows, x.cols, Float32Array.from(x.data))),
  };
  const exact = await chainUpdate({ keys, residual, divisor: 1, metric }, { ridge: 0.01 });
  const rounded = await chainUpdate({ keys, residual, divisor: 1, metric: rough }, { ridge: 0.01 });
  assertGreater(rounded.backwardError, 1e4 * exact.backwardError);
  assertLess(rounded.backwardError, 1e-4);
});

Deno.test("memitUpdate() refuses sizes that do not fit and factors that are not positive", async () => {
  const metric = momentMetric(moment, { lambda: 1 });
  await assertRejects(
    () => memitUpdate({ keys: matrix(2, 5), residual: matrix(3, dModel), divisor: 1, metric }),
    RangeError,
    "Cannot compute a write from keys [2, 5], residuals [3, 11] and a metric of size 23: wanted as many keys",
  );
  const keys = normalMatrix(1, dMlp, 1), residual = normalMatrix(1, dModel, 1);
  await assertRejects(
    () => chainUpdate({ keys, residual, divisor: 0, metric }, { ridge: 1 }),
    RangeError,
    "Cannot compute a write with divisor 0 and ridge 1: both must be above 0",
  );
  await assertRejects(() => chainUpdate({ keys, residual, divisor: 1, metric }, { ridge: 0 }), RangeError, "ridge 0");
});

Deno.test("chainUpdate() refuses a key system that is too ill-conditioned, with the estimate", async () => {
  const key = normalMatrix(1, dMlp, 5);
  const keys = matrix(2, dMlp, [...key.data, ...key.data]);
  const metric = momentMetric(moment, { lambda: 1 });
  await assertRejects(
    () => chainUpdate({ keys, residual: matrix(2, 1, [1, 3]), divisor: 1, metric }, { ridge: 1e-14 }),
    IllConditionedError,
    "the system of keys [2, 2]",
  );
});

function dotRows(a: Matrix, b: Matrix): number {
  return a.data.reduce((sum, value, i) => sum + value * b.data[i], 0);
}
