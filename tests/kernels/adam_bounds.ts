/**
 * First-order error bounds of the optimiser's kernels in f32.
 *
 * @module
 */
import { type AdamNumbers, adamProjectRow, normOf } from "../reference/adam.ts";
import { DIVISION, ROOT, TINY, UNIT } from "./operands.ts";

/** Second-order terms, which the bounds leave out, are far below a tenth of the first-order ones. */
const SECOND_ORDER = 1.1;

/** Relative error of `rowNorms` for a row of exact elements. */
export function normError(width: number): number {
  return SECOND_ORDER * ((width + 1) * UNIT / 2 + ROOT);
}

/** Bounds for the results of `adamProject` of one row whose squares of gradients are normal numbers. */
export function adamProjectBound(
  x: ArrayLike<number>,
  gradient: ArrayLike<number>,
  m: ArrayLike<number>,
  v: ArrayLike<number>,
  limit: number,
  numbers: AdamNumbers,
): { x: Float64Array; m: Float64Array; v: Float64Array } {
  const { lr, beta1, beta2, epsilon, step } = numbers;
  const want = adamProjectRow(x, gradient, m, v, limit, numbers);
  const [c1, c2] = [1 - beta1 ** step, 1 - beta2 ** step];
  const slope = Float64Array.from(gradient);
  // A rounded constant, a product and a sum; the square has one product more.
  const mean = slope.map((g, i) => 3 * UNIT * (Math.abs(beta1 * m[i]!) + Math.abs((1 - beta1) * g)));
  const square = want.v.map((s) => 4 * UNIT * s + TINY);
  const free = want.free.map((moved, i) => {
    const rms = Math.sqrt(want.v[i]! / c2);
    const rmsError = rms * ((4 * UNIT + UNIT + DIVISION) / 2 + ROOT);
    const denominator = rms + epsilon;
    const numerator = lr * want.m[i]! / c1;
    const relative = (rmsError + UNIT * epsilon) / denominator + 4 * UNIT + 2 * DIVISION;
    const change = (lr * mean[i]! / c1 + Math.abs(numerator) * relative) / denominator;
    return change + UNIT * Math.abs(moved);
  });
  const norm = normOf(want.free);
  const clamped = norm + normOf(free) >= limit * (1 - normError(slope.length));
  const projection = clamped ? normError(slope.length) + normOf(free) / norm + DIVISION + UNIT : 0;
  const shrink = Math.min(1, limit / norm);
  return {
    x: free.map((error, i) => SECOND_ORDER * (Math.min(1, shrink) * error + Math.abs(want.x[i]!) * projection)),
    m: mean.map((error) => SECOND_ORDER * error),
    v: square.map((error) => SECOND_ORDER * error),
  };
}
