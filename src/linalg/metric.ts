import { Cholesky, type CholeskyOptions } from "./cholesky.ts";
import {
  addScaled,
  checkSquare,
  frobeniusNorm,
  gram,
  type Matrix,
  matrix,
  multiply,
  multiplyNt,
  transpose,
} from "./dense.ts";

/** A symmetric positive definite matrix M over keys: what a write is measured by, with a way to solve with it. */
export interface Metric {
  /** Number of rows and columns, dMlp. */
  readonly size: number;
  /** Frobenius norm of M. */
  readonly norm: number;
  /** Estimate of the condition number of what was factored. */
  readonly conditionEstimate: number;
  /** Rows times M, [count, size] -> [count, size]. */
  multiply(rows: Matrix): Matrix;
  /** M⁻¹ of each row, [count, size] -> [count, size]. */
  applyInverse(rows: Matrix): Matrix | Promise<Matrix>;
}

/** How a second moment C becomes a metric. */
export interface MomentMetricOptions extends CholeskyOptions {
  /** Factor of C: how many tokens' worth of present knowledge is held against a write. */
  lambda: number;
  /** Ridge, as a part of the mean of C's diagonal. Default: 0. */
  eps?: number;
}

/** Preserved keys in a metric. */
export interface PreservedKeys {
  /** Keys that shall keep their outputs, one a row, [count, dMlp]. */
  keys: Matrix;
  /** Weight w of their mean outer product. */
  weight: number;
}

/**
 * lambda C + eps mean(diag C) I as a matrix.
 *
 * @param moment Second moment C, [dMlp, dMlp].
 * @returns A new matrix [dMlp, dMlp].
 * @throws {RangeError} If C is not square or `lambda` is not positive.
 */
export function weightedMoment(moment: Matrix, lambda: number, eps: number = 0): Matrix {
  checkSquare("weigh a second moment", moment);
  if (!(lambda > 0) || !(eps >= 0)) {
    throw new RangeError(
      `Cannot weigh a second moment by lambda ${lambda} and eps ${eps}: wanted lambda above 0 and eps from 0 up`,
    );
  }
  const n = moment.rows;
  const out = matrix(n, n, moment.data.map((value) => lambda * value));
  let trace = 0;
  for (let i = 0; i < n; i++) trace += moment.data[i * n + i];
  for (let i = 0; i < n; i++) out.data[i * n + i] += eps * trace / n;
  return out;
}

/**
 * A metric over a matrix that is given whole: one Cholesky factorisation.
 *
 * @param m [size, size], symmetric positive definite.
 * @returns The metric.
 * @throws {IllConditionedError} If `m` is refused.
 */
export function denseMetric(m: Matrix, options: CholeskyOptions = {}): Metric {
  const cholesky = new Cholesky(m, options);
  return {
    size: m.rows,
    norm: frobeniusNorm(m),
    conditionEstimate: cholesky.conditionEstimate,
    multiply: (rows) => multiplyNt(rows, m),
    applyInverse: (rows) => cholesky.solve(rows),
  };
}

/**
 * The metric lambda C + eps mean(diag C) I; factored once a layer and good for all edits.
 *
 * @param moment Second moment C, [dMlp, dMlp].
 * @returns The metric.
 * @throws {IllConditionedError} If C is singular and `eps` does not help.
 * @throws {RangeError} If C is not square or `lambda` is not positive.
 */
export function momentMetric(moment: Matrix, options: MomentMetricOptions): Metric {
  return denseMetric(weightedMoment(moment, options.lambda, options.eps), { label: "the second moment", ...options });
}

/**
 * The metric lambda C + eps mean(diag C) I + (w / n) Σ s sᵀ with n preserved keys s, factored whole: the choice where
 * dMlp is small.
 *
 * @param moment Second moment C, [dMlp, dMlp].
 * @returns The metric.
 * @throws {IllConditionedError} If the sum is refused.
 * @throws {RangeError} If the sizes do not fit.
 */
export function preservingMetric(moment: Matrix, preserved: PreservedKeys, options: MomentMetricOptions): Metric {
  const sum = weightedMoment(moment, options.lambda, options.eps);
  const scale = preservedScale(preserved, sum.rows);
  const whole = addScaled(sum, gram(transpose(preserved.keys)), scale);
  return denseMetric(whole, { label: "the second moment with preserved keys", ...options });
}

/**
 * `base` + (w / n) Σ s sᵀ over n preserved keys s, by the Woodbury identity on the factor of `base`: the choice where
 * dMlp is large, since nothing of size dMlp x dMlp is factored again. Each solve is refined once, because the identity
 * loses digits where the preserved keys outweigh the base.
 *
 * @param base Metric without the keys.
 * @returns The metric; its condition estimate is that of the base and of the small system, whichever is larger.
 * @throws {IllConditionedError} If the small system is refused.
 * @throws {RangeError} If the sizes do not fit.
 */
export async function extendMetric(
  base: Metric,
  preserved: PreservedKeys,
  options: CholeskyOptions = {},
): Promise<Metric> {
  const { keys } = preserved;
  const scale = preservedScale(preserved, base.size);
  if (keys.rows === 0 || scale === 0) return base;
  const solved = await base.applyInverse(keys); // [count, size]
  const small = multiplyNt(keys, solved); // [count, count]
  const count = keys.rows;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const mean = (small.data[i * count + j] + small.data[j * count + i]) / 2;
      small.data[i * count + j] = small.data[j * count + i] = mean;
    }
    small.data[i * count + i] += 1 / scale;
  }
  const inner = new Cholesky(small, { label: "the system of preserved keys", ...options });
  const multiplyRows = (rows: Matrix): Matrix =>
    addScaled(base.multiply(rows), multiply(multiplyNt(rows, keys), keys), scale);
  const once = async (rows: Matrix): Promise<Matrix> => {
    const first = await base.applyInverse(rows);
    return addScaled(first, multiply(inner.solve(multiplyNt(first, keys)), solved), -1);
  };
  return {
    size: base.size,
    norm: extendedNorm(base, keys, scale),
    conditionEstimate: Math.max(base.conditionEstimate, inner.conditionEstimate),
    multiply: multiplyRows,
    applyInverse: async (rows) => {
      const first = await once(rows);
      return addScaled(first, await once(addScaled(rows, multiplyRows(first), -1)), 1);
    },
  };
}

/** |B + c Σ s sᵀ| in the Frobenius norm, exactly, from products of the thin keys. */
function extendedNorm(base: Metric, keys: Matrix, scale: number): number {
  const through = base.multiply(keys);
  let mixed = 0;
  for (let i = 0; i < keys.data.length; i++) mixed += keys.data[i] * through.data[i];
  return Math.sqrt(base.norm ** 2 + 2 * scale * mixed + (scale * frobeniusNorm(gram(keys))) ** 2);
}

function preservedScale(preserved: PreservedKeys, size: number): number {
  const { keys, weight } = preserved;
  if (keys.cols !== size) {
    throw new RangeError(
      `Cannot preserve keys [${keys.rows}, ${keys.cols}]: wanted rows of ${size}, the size of the second moment`,
    );
  }
  if (!(weight >= 0)) throw new RangeError(`Cannot preserve keys with weight ${weight}: wanted 0 or more`);
  return keys.rows === 0 ? 0 : weight / keys.rows;
}
