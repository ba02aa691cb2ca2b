import { assertAlmostEquals, assertEquals, assertGreater, assertLess, assertRejects, assertThrows } from "@std/assert";
import { IllConditionedError } from "../../src/linalg/cholesky.ts";
import {
  addScaled,
  frobeniusNorm,
  type Matrix,
  matrix,
  multiply,
  multiplyNt,
  transpose,
} from "../../src/linalg/dense.ts";
import { extendMetric, type Metric, momentMetric, preservingMetric, weightedMoment } from "../../src/linalg/metric.ts";
import { normalMatrix, randomMoment } from "../reference/random.ts";

const UNIT = 2 ** -53;
const size = 21;
const moment = randomMoment(size, 50, 2);

/** lambda C + eps mean(diag C) I + (w / n) Σ s sᵀ written out. */
function written(keys: Matrix, weight: number, lambda: number, eps: number): Matrix {
  return addScaled(weightedMoment(moment, lambda, eps), multiply(transpose(keys), keys), weight / keys.rows);
}

async function backwardError(metric: Metric, m: Matrix, b: Matrix): Promise<number> {
  const x = await metric.applyInverse(b);
  return frobeniusNorm(addScaled(multiplyNt(x, m), b, -1)) / (frobeniusNorm(m) * frobeniusNorm(x) + frobeniusNorm(b));
}

Deno.test("weightedMoment() scales and adds a part of the mean diagonal", () => {
  assertEquals([...weightedMoment(matrix(2, 2, [1, 2, 2, 3]), 10, 0.5).data], [11, 20, 20, 31]);
  assertThrows(
    () => weightedMoment(moment, 0),
    RangeError,
    "Cannot weigh a second moment by lambda 0 and eps 0: wanted lambda above 0",
  );
  assertThrows(() => weightedMoment(matrix(1, 2), 1), RangeError, "wanted a square one, got [1, 2]");
});

Deno.test("momentMetric() solves and multiplies with lambda C", async () => {
  const metric = momentMetric(moment, { lambda: 3 });
  const m = weightedMoment(moment, 3);
  const b = normalMatrix(2, size, 1);
  assertLess(await backwardError(metric, m, b), 16 * size * UNIT);
  assertEquals(metric.multiply(b), multiplyNt(b, m));
  assertAlmostEquals(metric.norm, 3 * frobeniusNorm(moment), 1e-12 * metric.norm);
});

Deno.test("momentMetric() refuses a singular moment and takes it with a ridge", () => {
  const singular = randomMoment(size, 5, 2);
  assertThrows(() => momentMetric(singular, { lambda: 1 }), IllConditionedError, "the second moment [21, 21]");
  const { conditionEstimate } = momentMetric(singular, { lambda: 1, eps: 1e-4 });
  // The smallest eigenvalue is eps times the mean diagonal, the largest at most size times it.
  assertLess(conditionEstimate, size * size * 1e4 + size);
});

Deno.test("preservingMetric() adds the mean outer product of the preserved keys", async () => {
  const keys = normalMatrix(9, size, 3);
  const m = written(keys, 2, 0.5, 1e-4);
  const metric = preservingMetric(moment, { keys, weight: 2 }, { lambda: 0.5, eps: 1e-4 });
  assertLess(await backwardError(metric, m, normalMatrix(3, size, 4)), 16 * size * UNIT);
  assertAlmostEquals(metric.norm, frobeniusNorm(m), 1e-12 * metric.norm);
  assertThrows(
    () => preservingMetric(moment, { keys: matrix(2, 3), weight: 1 }, { lambda: 1 }),
    RangeError,
    "Cannot preserve keys [2, 3]: wanted rows of 21, the size of the second moment",
  );
});

Deno.test("extendMetric() solves the same system as preservingMetric(), also where the keys outweigh the moment", async () => {
  for (const [count, weight] of [[1, 1], [9, 2], [40, 1], [9, 1e6]]) {
    const keys = normalMatrix(count, size, count);
    const m = written(keys, weight, 0.5, 1e-4);
    const metric = await extendMetric(momentMetric(moment, { lambda: 0.5, eps: 1e-4 }), { keys, weight });
    assertLess(await backwardError(metric, m, normalMatrix(3, size, 4)), 16 * size * UNIT);
    const b = normalMatrix(2, size, 6);
    const difference = frobeniusNorm(addScaled(metric.multiply(b), multiplyNt(b, m), -1));
    assertLess(difference, 8 * (size + count) * UNIT * frobeniusNorm(m) * frobeniusNorm(b));
    assertAlmostEquals(metric.norm, frobeniusNorm(m), 1e-12 * metric.norm);
    assertGreater(metric.conditionEstimate, 1);
  }
});

Deno.test("extendMetric() returns the base where nothing is preserved and refuses a negative weight", async () => {
  const base = momentMetric(moment, { lambda: 1 });
  assertEquals(await extendMetric(base, { keys: matrix(0, size), weight: 1 }), base);
  await assertRejects(
    () => extendMetric(base, { keys: matrix(1, size), weight: -1 }),
    RangeError,
    "Cannot preserve keys with weight -1: wanted 0 or more",
  );
});
