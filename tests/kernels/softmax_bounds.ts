/**
 * First-order error bounds of the kernels over rows of logits in f32.
 *
 * @module
 */
import { logSoftmaxRow, logSumExpRow } from "../reference/softmax.ts";
import { DIVISION, expError, normals, TINY, UNIT } from "./operands.ts";

/** Second-order terms, which the bounds leave out, are far below a tenth of the first-order ones. */
const SECOND_ORDER = 1.1;

/** Fewest threads that share a row: the additions of one thread. */
const THREADS = 8;

/** Levels of the tree that joins the most threads a row has, 256. */
const LEVELS = 8;

/** Rows of logits that meet the running maximum in different orders: random, rising, falling, all equal. */
export function logitRows(rows: number, width: number, deviation = 3): Float32Array<ArrayBuffer> {
  const data = normals("logits", rows * width, 0, deviation);
  for (let r = 1; r < rows; r++) {
    const row = data.subarray(r * width, (r + 1) * width);
    if (r % 4 === 1) row.sort();
    if (r % 4 === 2) row.sort((a, b) => b - a);
    if (r % 4 === 3) row.fill(row[0]!);
  }
  return data;
}

/** Rows of log-probabilities that a divergence is measured from. */
export function referenceRows(rows: number, width: number): Float32Array<ArrayBuffer> {
  const each = rowsOf(normals("reference", rows * width, 0, 2), width);
  return Float32Array.from(each.flatMap((row) => [...logSoftmaxRow(row)]));
}

/** The rows of a flat array. */
export function rowsOf<T extends Float32Array | Uint32Array>(data: T, width: number): T[] {
  return Array.from(
    { length: data.length / width },
    (_, r) => data.subarray(r * width, (r + 1) * width) as T,
  );
}

/** Relative error of exp of a difference of two f32 numbers. */
function differenceExpError(difference: number): number {
  return expError(difference) + UNIT * Math.abs(difference);
}

/**
 * Relative error of the running sum of exponentials: each term is rounded once and then rescaled at most as often as its
 * thread adds, by exponentials whose arguments add up to no more than the range of the row.
 */
function sumError(x: ArrayLike<number>): number {
  const row = Array.from(x);
  const range = row.reduce((a, b) => Math.max(a, b)) - row.reduce((a, b) => Math.min(a, b));
  const steps = Math.ceil(row.length / THREADS) + LEVELS;
  return differenceExpError(range) + steps * (expError(0) + 2 * UNIT) + differenceExpError(range);
}

/** Absolute error that WGSL allows `log(v)`, given its result. */
function logError(result: number): number {
  return Math.abs(result) <= Math.LN2 ? 2 ** -21 : 6 * UNIT * Math.abs(result);
}

function largest(x: ArrayLike<number>): number {
  return Array.from(x).reduce((a, b) => Math.max(a, b));
}

/** Bound for `logSumExp` of one row, and for that of `crossEntropy`. */
export function logSumExpBound(x: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const total = logSumExpRow(x, weights);
  return SECOND_ORDER * (sumError(x) + UNIT + logError(total - largest(x)) + UNIT * Math.abs(total));
}

/** Bounds for `softmax` of one row; results below the smallest normal number may be flushed to zero. */
export function softmaxBound(x: ArrayLike<number>): Float64Array {
  const [total, top, sum] = [logSumExpRow(x), largest(x), sumError(x)];
  return Float64Array.from(x, (v) => {
    const relative = sum + differenceExpError(v - top) + DIVISION + UNIT;
    return SECOND_ORDER * relative * Math.exp(v - total) + TINY;
  });
}

/** Bounds for `logSoftmax` of one row, and for the log-probability of `crossEntropy`. */
export function logSoftmaxBound(x: ArrayLike<number>): Float64Array {
  const [total, top, sum] = [logSumExpRow(x), largest(x), sumError(x)];
  return Float64Array.from(x, (v) => {
    const rounding = UNIT * (Math.abs(v - top) + Math.abs(v - total));
    return SECOND_ORDER * (sum + logError(total - top) + rounding);
  });
}

/** Bounds for `crossEntropyBackward` of one row. */
export function crossEntropyBackwardBound(
  x: ArrayLike<number>,
  logProb: number,
  target: number,
  weight: number,
): Float64Array {
  return Float64Array.from(x, (v, i) => {
    const above = v - x[target]!;
    const p = Math.exp(above + logProb);
    const difference = Math.abs(p - (i === target ? 1 : 0));
    const relative = differenceExpError(above + logProb) + UNIT * Math.abs(above);
    return SECOND_ORDER * Math.abs(weight) * (p * relative + 2 * UNIT * difference) + TINY;
  });
}

/** Bound for `klDivergence` of one row: the errors of the terms, then of their sum. */
export function klDivergenceBound(x: ArrayLike<number>, logSumExp: number, reference: ArrayLike<number>): number {
  let bound = 0;
  const additions = Math.ceil(x.length / THREADS) + LEVELS;
  for (let i = 0; i < x.length; i++) {
    const logProb = x[i]! - logSumExp;
    const gap = Math.abs(logProb - reference[i]!);
    const relative = differenceExpError(logProb) + (2 + additions) * UNIT;
    bound += Math.exp(logProb) * (gap * relative + UNIT * Math.abs(logProb)) + TINY * gap;
  }
  return SECOND_ORDER * bound;
}

/** Bounds for `klDivergenceBackward` of one row. */
export function klDivergenceBackwardBound(
  x: ArrayLike<number>,
  logSumExp: number,
  reference: ArrayLike<number>,
  kl: number,
  weight: number,
): Float64Array {
  return Float64Array.from(x, (v, i) => {
    const logProb = v - logSumExp;
    const gap = Math.abs(logProb - reference[i]!);
    const inner = Math.abs(logProb - reference[i]! - kl);
    const error = inner * (differenceExpError(logProb) + 3 * UNIT) + UNIT * (Math.abs(logProb) + gap);
    return Math.abs(weight) * (SECOND_ORDER * Math.exp(logProb) * error + TINY * (inner + 1)) + TINY;
  });
}
