/**
 * First-order error bounds of the attention kernels in f32.
 *
 * @module
 */
import {
  type AttentionCase,
  type AttentionRow,
  attentionRows,
  attentionTwin,
  headDot,
  ownElement,
} from "../reference/attention.ts";
import { DIVISION, expError, TINY, UNIT } from "./operands.ts";

/** Second-order terms, which the bounds leave out, are far below a tenth of the first-order ones. */
const SECOND_ORDER = 1.1;

/** Levels of the trees and lanes of the subgroups that join the threads of a row, at most. */
const JOINS = 16;

/** Sum of the products' absolute values. */
function absDot(a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number, dHead: number): number {
  let sum = 0;
  for (let d = 0; d < dHead; d++) sum += Math.abs(a[aAt + d]! * b[bAt + d]!);
  return sum;
}

/** Error of a sum of products relative to the sum of their absolute values. */
function sumOf(terms: number): number {
  return 2 * terms * UNIT;
}

/** Error of a scaled score: that of the inner product, the rounded factor and the rounded product. */
function scoreError(c: AttentionCase, row: AttentionRow, s: number): number {
  return (sumOf(c.dHead) + 2 * UNIT) * c.scale * absDot(c.q, row.qAt, c.k, row.kvAt(s), c.dHead);
}

/** Relative error of the sum of exponentials of a row, and of each of them. */
function exponentialErrors(c: AttentionCase, row: AttentionRow): { each: number; sum: number; largest: number } {
  const keys = Array.from({ length: row.seen }, (_, s) => s);
  const scores = keys.map((s) => c.scale * headDot(c.q, row.qAt, c.k, row.kvAt(s), c.dHead));
  const largest = Math.max(...scores);
  const range = largest - Math.min(...scores);
  const shift = Math.max(...keys.map((s) => scoreError(c, row, s)));
  // Rescaling takes exponentials whose arguments add up to no more than the range, one a block of keys.
  const each = shift + expError(range) + UNIT * range + (row.seen + JOINS) * (expError(0) + UNIT);
  return { each, sum: each + (row.seen + JOINS) * UNIT, largest };
}

/** Bounds for `attentionPattern`, and for the results of `attention`. */
export function attentionBounds(c: AttentionCase): {
  pattern: Float64Array;
  z: Float64Array;
  logSumExp: Float64Array;
} {
  const want = attentionTwin(c);
  const pattern = new Float64Array(want.pattern.length);
  const z = new Float64Array(want.z.length);
  const logSumExp = new Float64Array(want.logSumExp.length);
  for (const row of attentionRows(c)) {
    const { each, sum, largest } = exponentialErrors(c, row);
    const relative = SECOND_ORDER * (each + sum + DIVISION + UNIT);
    const log = want.logSumExp[row.at]! - largest;
    const logError = log <= Math.LN2 ? 2 ** -21 : 6 * UNIT * log;
    logSumExp[row.at] = SECOND_ORDER * (each + sum + logError + UNIT * (Math.abs(largest) + log));
    for (let s = 0; s < row.seen; s++) {
      const p = want.pattern[row.at * c.keys + s]!;
      pattern[row.at * c.keys + s] = relative * p + TINY;
      for (let d = 0; d < c.dHead; d++) {
        z[row.qAt + d]! += (relative + sumOf(row.seen)) * p * Math.abs(c.v[row.kvAt(s) + d]!) + TINY;
      }
    }
  }
  return { pattern, z, logSumExp };
}

/** Bounds for `attentionMix` with an exact pattern. */
export function attentionMixBound(c: AttentionCase, pattern: ArrayLike<number>): Float64Array {
  const z = new Float64Array(c.batch * c.queries * c.nHeads * c.dHead);
  for (const { seen, qAt, at, kvAt } of attentionRows(c)) {
    for (let s = 0; s < seen; s++) {
      const weight = Math.abs(pattern[at * c.keys + s]!);
      for (let d = 0; d < c.dHead; d++) z[qAt + d]! += sumOf(seen) * weight * Math.abs(c.v[kvAt(s) + d]!) + TINY;
    }
  }
  return z;
}

/** Bounds for `attentionBackward`, given `z` and `logSumExp` rounded to f32. */
export function attentionBackwardBounds(
  c: AttentionCase,
  dz: ArrayLike<number>,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { pattern, z, logSumExp } = attentionTwin(c);
  const q = new Float64Array(c.q.length);
  const k = new Float64Array(c.batch * c.queries * c.nKvHeads * c.dHead);
  const v = new Float64Array(k.length);
  const additions = sumOf(c.queries * c.nHeads / c.nKvHeads);
  for (const row of attentionRows(c)) {
    const { b, seen, qAt, at, kvAt } = row;
    const delta = headDot(dz, qAt, z, qAt, c.dHead);
    const deltaError = (sumOf(c.dHead) + UNIT) * absDot(dz, qAt, z, qAt, c.dHead);
    for (let s = 0; s < seen; s++) {
      const p = pattern[at * c.keys + s]!;
      const distance = -Math.log(p);
      // Rounding of logSumExp, of the score and of their difference all move the argument of the exponential.
      const argument = scoreError(c, row, s) + UNIT * (2 * Math.abs(logSumExp[at]!) + 2 * distance);
      const pError = SECOND_ORDER * p * (argument + expError(distance)) + TINY;
      const dp = headDot(dz, qAt, c.v, kvAt(s), c.dHead);
      const dpError = sumOf(c.dHead) * absDot(dz, qAt, c.v, kvAt(s), c.dHead);
      const slope = c.scale * p * (dp - delta);
      const slopeError = SECOND_ORDER * c.scale *
          (pError * Math.abs(dp - delta) + p * (dpError + deltaError + UNIT * Math.abs(dp - delta))) +
        4 * UNIT * Math.abs(slope) + TINY;
      const own = ownElement(c, b, s, kvAt(s));
      for (let d = 0; d < c.dHead; d++) {
        q[qAt + d]! += (slopeError + sumOf(seen) * Math.abs(slope)) * Math.abs(c.k[kvAt(s) + d]!) + TINY;
        if (own === null) continue;
        k[own + d]! += (slopeError + additions * Math.abs(slope)) * Math.abs(c.q[qAt + d]!) + TINY;
        v[own + d]! += (pError + additions * p) * Math.abs(dz[qAt + d]!) + TINY;
      }
    }
  }
  return { q, k, v };
}
