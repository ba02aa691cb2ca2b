/**
 * Float64 twins of the optimiser's kernels, one row at a time.
 *
 * @module
 */

/** Numbers of an Adam step. */
export interface AdamNumbers {
  /** Learning rate. */
  lr: number;
  /** Decay of the mean of gradients. */
  beta1: number;
  /** Decay of the mean of squares. */
  beta2: number;
  /** Added to the root of the mean of squares. */
  epsilon: number;
  /** Number of this step, from 1. */
  step: number;
}

/** What an Adam step leaves behind. */
export interface AdamRow {
  /** The row after the step and the projection. */
  x: Float64Array;
  /** The row before the projection. */
  free: Float64Array;
  /** Running mean of the gradient. */
  m: Float64Array;
  /** Running mean of its square. */
  v: Float64Array;
}

/** Twin of `rowNorms` for one row. */
export function normOf(x: ArrayLike<number>): number {
  return Math.sqrt(Array.from(x).reduce((sum, value) => sum + value * value, 0));
}

/** Twin of `adamProject` for one row that is not stopped. */
export function adamProjectRow(
  x: ArrayLike<number>,
  gradient: ArrayLike<number>,
  m: ArrayLike<number>,
  v: ArrayLike<number>,
  limit: number,
  { lr, beta1, beta2, epsilon, step }: AdamNumbers,
): AdamRow {
  const slope = Float64Array.from(gradient);
  const mean = slope.map((g, i) => beta1 * m[i]! + (1 - beta1) * g);
  const square = slope.map((g, i) => beta2 * v[i]! + (1 - beta2) * g * g);
  const free = Float64Array.from(x, (value, i) => {
    const rms = Math.sqrt(square[i]! / (1 - beta2 ** step));
    return value - lr * (mean[i]! / (1 - beta1 ** step)) / (rms + epsilon);
  });
  const norm = normOf(free);
  return { x: norm > limit ? free.map((value) => value * limit / norm) : free, free, m: mean, v: square };
}
