import {
  addScaled,
  checkSquare,
  dot,
  dotsOfPairs,
  frobeniusNorm,
  infinityNorm,
  type Matrix,
  matrix,
  multiplyNt,
  rowsOf,
} from "./dense.ts";
import { inverseNormBy } from "./inverse_norm.ts";

/** A symmetric system is so close to singular, or so far from positive definite, that its solution means nothing. */
export class IllConditionedError extends Error {
  /** Always "IllConditionedError". */
  override readonly name = "IllConditionedError";
  /** Estimate of the condition number, or a lower bound where no factor could be made. */
  readonly conditionEstimate: number;

  /** Makes an error with the estimate that it concerns. */
  constructor(message: string, conditionEstimate: number) {
    super(message);
    this.conditionEstimate = conditionEstimate;
  }
}

/** What a factorisation may be asked. */
export interface CholeskyOptions {
  /** Name of the matrix in errors. Default: "the matrix". */
  label?: string;
  /** Condition number above which the matrix is refused. Default: 1e13, where float64 keeps 3 digits of a solution. */
  maxCondition?: number;
}

/** Condition number above which a factorisation is refused by default. */
export const MAX_CONDITION = 1e13;

/** The factor L of a symmetric positive definite A = L Lᵀ, with which systems are solved. */
export class Cholesky {
  /** Number of rows and columns. */
  readonly size: number;
  /** L, row-major; zero above the diagonal. */
  readonly lower: Matrix;
  /** Estimate of |A|₁ |A⁻¹|₁ (Higham, "Accuracy and Stability of Numerical Algorithms", algorithm 15.1). */
  readonly conditionEstimate: number;

  /**
   * Factors a matrix, of which only the lower triangle is read (and, for its norm, the rest).
   *
   * @param a [size, size], symmetric.
   * @throws {IllConditionedError} If a pivot is not positive or the condition estimate is too large.
   * @throws {RangeError} If `a` is not square.
   */
  constructor(a: Matrix, options: CholeskyOptions = {}) {
    const { label = "the matrix", maxCondition = MAX_CONDITION } = options;
    checkSquare(`factor ${label}`, a);
    this.size = a.rows;
    this.lower = factor(a, label);
    this.conditionEstimate = infinityNorm(a) * inverseNormBy(this.size, (rows) => this.solve(rows));
    if (!(this.conditionEstimate <= maxCondition)) {
      throw new IllConditionedError(
        `Cannot use ${label} [${a.rows}, ${a.cols}]: its condition number is about ` +
          `${this.conditionEstimate.toExponential(1)}, wanted at most ${maxCondition.toExponential(1)}. ` +
          `Add a ridge or use more data`,
        this.conditionEstimate,
      );
    }
  }

  /**
   * Solves A x = b for several right-hand sides.
   *
   * @param b [count, size], one right-hand side a row.
   * @returns A new matrix [count, size], one solution a row.
   * @throws {RangeError} If the rows do not have `size` elements.
   */
  solve(b: Matrix): Matrix {
    return this.solveLowerTransposed(this.solveLower(b));
  }

  /**
   * Solves L x = b by forward substitution.
   *
   * @param b [count, size], one right-hand side a row.
   * @returns A new matrix [count, size].
   * @throws {RangeError} If the rows do not have `size` elements.
   */
  solveLower(b: Matrix): Matrix {
    const { n, x, rows } = this.#start(b);
    for (let i = 0; i < n; i++) {
      const row = this.lower.data.subarray(i * n, (i + 1) * n);
      for (const values of rows) values[i] = (values[i] - dot(row, values, i)) / row[i];
    }
    return x;
  }

  /**
   * Solves Lᵀ x = b by back substitution.
   *
   * @param b [count, size], one right-hand side a row.
   * @returns A new matrix [count, size].
   * @throws {RangeError} If the rows do not have `size` elements.
   */
  solveLowerTransposed(b: Matrix): Matrix {
    const { n, x, rows } = this.#start(b);
    for (let i = n - 1; i >= 0; i--) {
      const row = this.lower.data.subarray(i * n, (i + 1) * n);
      for (const values of rows) {
        const value = values[i] / row[i];
        values[i] = value;
        for (let k = 0; k < i; k++) values[k] -= value * row[k];
      }
    }
    return x;
  }

  #start(b: Matrix): { n: number; x: Matrix; rows: Float64Array[] } {
    const n = this.size;
    if (b.cols !== n) {
      throw new RangeError(
        `Cannot solve with a factor [${n}, ${n}]: right-hand sides must be rows of ${n}, got [${b.rows}, ${b.cols}]`,
      );
    }
    const x = matrix(b.rows, n, b.data.slice());
    return { n, x, rows: rowsOf(x) };
  }
}

/** What {@linkcode solveDense} returns. */
export interface DenseSolution {
  /** Solutions, one a row, [count, size]. */
  x: Matrix;
  /** |x A - b| / (|x| |A| + |b|) in Frobenius norms. */
  backwardError: number;
  /** Estimate of the condition number of A. */
  conditionEstimate: number;
}

/**
 * Solves A x = b for a symmetric positive definite A in float64, with one step of refinement.
 *
 * @param a [size, size].
 * @param b [count, size], one right-hand side a row.
 * @returns Solutions with how good they are.
 * @throws {IllConditionedError} If A is refused.
 * @throws {RangeError} If the sizes do not fit.
 */
export function solveDense(a: Matrix, b: Matrix, options: CholeskyOptions = {}): DenseSolution {
  const cholesky = new Cholesky(a, options);
  const first = cholesky.solve(b);
  const x = addScaled(first, cholesky.solve(addScaled(b, multiplyNt(first, a), -1)), 1);
  const residual = frobeniusNorm(addScaled(b, multiplyNt(x, a), -1));
  const scale = frobeniusNorm(x) * frobeniusNorm(a) + frobeniusNorm(b);
  return { x, backwardError: scale === 0 ? 0 : residual / scale, conditionEstimate: cholesky.conditionEstimate };
}

/** Columns that are factored together: their rows, up to 2048 wide, stay in a cache while all rows below pass by. */
const BLOCK = 32;

/** Factorisation by blocks of columns: what the columns before take from a block, as products of pairs of rows, first. */
function factor(a: Matrix, label: string): Matrix {
  const n = a.rows;
  const lower = matrix(n, n);
  const rows = rowsOf(lower);
  for (let first = 0; first < n; first += BLOCK) {
    const end = Math.min(first + BLOCK, n);
    for (let i = first; i < n; i += 2) {
      for (let j = first; j < Math.min(end, i + 1); j += 2) dotsOfPairs(rows, i, rows, j, first, lower);
    }
    for (let i = first; i < n; i++) {
      const row = rows[i];
      for (let j = first; j < Math.min(end, i); j++) {
        const above = rows[j];
        let sum = row[j];
        for (let k = first; k < j; k++) sum += row[k] * above[k];
        row[j] = (a.data[i * n + j] - sum) / above[j];
      }
      if (i >= end) continue;
      const pivot = a.data[i * n + i] - dot(row, row, i);
      if (!(pivot > 0) || pivot === Infinity) throw badPivot(a, lower, i, pivot, label);
      row[i] = Math.sqrt(pivot);
      // A pair of rows reaches one element above the diagonal.
      row.fill(0, i + 1);
    }
  }
  return lower;
}

function badPivot(a: Matrix, lower: Matrix, at: number, pivot: number, label: string): IllConditionedError {
  const n = a.rows;
  let smallest = Infinity;
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(a.data[i * n + i]));
  for (let i = 0; i < at; i++) smallest = Math.min(smallest, lower.data[i * n + i] ** 2);
  // A pivot can only come out as zero or less where rounding, n 2^-53 of the diagonal, reached the smallest eigenvalue.
  const bound = Math.max(largest / smallest, 2 ** 53 / n);
  return new IllConditionedError(
    `Cannot factor ${label} [${n}, ${n}]: pivot ${at} is ${pivot}, wanted a positive one; the condition number is at ` +
      `least ${bound.toExponential(1)}. Add a ridge or use more data`,
    bound,
  );
}
