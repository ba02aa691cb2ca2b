import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  addScaled,
  frobeniusNorm,
  type Matrix,
  matrix,
  multiply,
  multiplyNt,
  transpose,
} from "../../src/linalg/dense.ts";
import { ALWAYS_IN, leftOutResiduals, leftOutShare } from "../../src/linalg/left_out.ts";
import { denseMetric } from "../../src/linalg/metric.ts";
import { chainUpdate } from "../../src/linalg/thin_update.ts";
import { normalMatrix, randomMoment } from "../reference/random.ts";

const UNIT = 2 ** -53;
const dMlp = 17, dModel = 5, ridge = 0.01;
const moment = randomMoment(dMlp, 40, 1);
const metric = denseMetric(moment);

/** Rows of a matrix in the order asked for. */
function rowsOf(a: Matrix, rows: readonly number[]): Matrix {
  return matrix(rows.length, a.cols, rows.flatMap((row) => [...a.data.subarray(row * a.cols, (row + 1) * a.cols)]));
}

/** ridge I + K M⁻¹ Kᵀ. */
async function systemOf(keys: Matrix): Promise<Matrix> {
  const out = multiplyNt(keys, await metric.applyInverse(keys));
  for (let i = 0; i < out.rows; i++) out.data[i * out.cols + i]! += ridge;
  return addScaled(matrix(out.rows, out.cols), addScaled(out, transpose(out), 1), 0.5);
}

Deno.test("leftOutResiduals() is what a write made without a group leaves undone on that group's keys", async () => {
  const groups = [ALWAYS_IN, 0, 0, 1, 2, 2, 2];
  const keys = normalMatrix(groups.length, dMlp, 2), wanted = normalMatrix(groups.length, dModel, 3);
  const found = leftOutResiduals(await systemOf(keys), wanted, groups);
  for (const group of [0, 1, 2]) {
    const out = groups.flatMap((of, row) => of === group ? [row] : []);
    const rest = groups.flatMap((of, row) => of === group ? [] : [row]);
    const update = await chainUpdate(
      { keys: rowsOf(keys, rest), residual: rowsOf(wanted, rest), divisor: 1, metric },
      { ridge },
    );
    const given = multiply(multiply(rowsOf(keys, out), update.right), transpose(update.left));
    const undone = addScaled(rowsOf(wanted, out), given, -1);
    const error = frobeniusNorm(addScaled(rowsOf(found, out), undone, -1)) / frobeniusNorm(undone);
    assertLess(error, 8 * dMlp * UNIT * update.conditionEstimate);
  }
  assertEquals([...rowsOf(found, [0]).data], new Array(dModel).fill(0), "a row that is never left out");
});

Deno.test("leftOutShare() is all for groups with equal keys and wants but for the ridge, and nothing for orthogonal keys", () => {
  const wanted = matrix(2, 2, [3, 4, 3, 4]);
  // Equal keys of squared length 4: the other gives 4 / (4 + ridge) of it.
  const equal = matrix(2, 2, [4 + ridge, 4, 4, 4 + ridge]);
  assertAlmostEquals(leftOutShare(equal, wanted, [0, 1]), 4 / (4 + ridge), 1e-12);
  assertEquals(leftOutShare(matrix(2, 2, [4, 0, 0, 4]), wanted, [0, 1]), 0);
});

Deno.test("leftOutShare() says nothing where no row is left out or nothing is wanted", () => {
  const system = matrix(2, 2, [2, 1, 1, 2]);
  assertEquals(leftOutShare(system, matrix(2, 1, [1, 1]), [ALWAYS_IN, ALWAYS_IN]), NaN);
  assertEquals(leftOutShare(system, matrix(2, 1), [0, 1]), NaN);
});

Deno.test("leftOutResiduals() refuses groups and wants of another number of rows", () => {
  assertThrows(
    () => leftOutResiduals(matrix(2, 2, [2, 1, 1, 2]), matrix(3, 1), [0]),
    RangeError,
    "Cannot leave rows out of a system of 2: found 3 wanted rows and 1 groups",
  );
});

Deno.test("chainUpdate() is longer by one over the share that left-out keys receive, up to the largest gain", async () => {
  const groups = [0, 1, 2, 3, 4, 5];
  const shared = normalMatrix(1, dMlp, 5);
  const own = normalMatrix(groups.length, dMlp, 6);
  // Keys that share a direction and differ besides, all wanting the same.
  const keys = matrix(groups.length, dMlp, own.data.map((x, i) => x + shared.data[i % dMlp]!));
  const residual = matrix(groups.length, dModel, repeat(groups.length));
  const system = { keys, residual, divisor: 1, metric };
  const share = leftOutShare(await systemOf(keys), residual, groups);
  assertLess(0.5, share);
  assertLess(share, 0.99);
  const plain = await chainUpdate(system, { ridge });
  const long = await chainUpdate(system, { ridge, leftOut: { groups, maxGain: 2 } });
  const capped = await chainUpdate(system, { ridge, leftOut: { groups, maxGain: 1.001 } });
  assertEquals([plain.gain, capped.gain], [1, 1.001]);
  assertAlmostEquals(long.gain, 1 / share, 1e-9);
  const ratio = frobeniusNorm(long.left) / frobeniusNorm(plain.left);
  assertAlmostEquals(ratio, 1 / share, 1e-9);
});

/** The same normal row many times. */
function repeat(count: number): Float64Array {
  const row = normalMatrix(1, dModel, 7).data;
  return Float64Array.from({ length: count * dModel }, (_, i) => row[i % dModel]!);
}
