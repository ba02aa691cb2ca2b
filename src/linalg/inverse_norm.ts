import { type Matrix, matrix } from "./dense.ts";

/**
 * Estimates |A⁻¹|₁ of a symmetric A from a few solves: yields right-hand sides [1, size], takes solutions [1, size], and
 * returns the estimate, which rarely falls short by more than a factor of 3 (Higham, "Accuracy and Stability of
 * Numerical Algorithms", 2002, algorithm 15.1).
 *
 * @param size Number of rows of A.
 * @returns The dialogue; its return value is the estimate.
 */
export function* inverseNorm(size: number): Generator<Matrix, number, Matrix> {
  if (size === 0) return 0;
  let x = matrix(1, size, new Float64Array(size).fill(1 / size));
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const y = (yield x).data;
    best = Math.max(best, sumOfMagnitudes(y));
    const z = (yield matrix(1, size, y.map((value) => (value < 0 ? -1 : 1)))).data;
    let at = 0;
    let reached = 0;
    for (let i = 0; i < size; i++) {
      if (Math.abs(z[i]) > Math.abs(z[at])) at = i;
      reached += z[i] * x.data[i];
    }
    if (round > 0 && Math.abs(z[at]) <= reached) break;
    x = matrix(1, size);
    x.data[at] = 1;
  }
  // A last, alternating vector catches the matrices on which the climb above is blind.
  const probe = Float64Array.from({ length: size }, (_, i) => (i % 2 ? -1 : 1) * (1 + i / Math.max(1, size - 1)));
  return Math.max(best, 2 * sumOfMagnitudes((yield matrix(1, size, probe)).data) / (3 * size));
}

/**
 * Runs {@linkcode inverseNorm} with a solver.
 *
 * @param solve A⁻¹ of each row.
 * @returns The estimate of |A⁻¹|₁.
 */
export function inverseNormBy(size: number, solve: (rows: Matrix) => Matrix): number {
  const dialogue = inverseNorm(size);
  let step = dialogue.next();
  while (!step.done) step = dialogue.next(solve(step.value));
  return step.value;
}

function sumOfMagnitudes(values: Float64Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}
