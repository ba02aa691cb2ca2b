import { dot, type Matrix, matrix } from "./dense.ts";

/** A symmetric positive definite system and an approximate way to solve it. */
export interface PreconditionedSystem {
  /** Rows times A in float64, [count, size] -> [count, size]. */
  multiply(rows: Matrix): Matrix;
  /** Roughly A⁻¹ of each row, in any precision. */
  precondition(rows: Matrix): Promise<Matrix>;
  /** A norm of A for the backward error. */
  norm: number;
}

/** When the iteration ends. */
export interface ConjugateGradientsOptions {
  /** Backward error wanted of every right-hand side. Default: 1e-12. */
  tol?: number;
  /** Steps, each one product with A and one preconditioning. Default: 100. */
  maxIterations?: number;
}

/** What {@linkcode conjugateGradients} returns. */
export interface ConjugateGradientsResult {
  /** Solutions, one a row. */
  x: Matrix;
  /** Largest over the rows of |b - x A| / (norm |x| + |b|), Euclidean, from a residual computed anew in float64. */
  backwardError: number;
  /** Steps taken. */
  iterations: number;
}

/** One right-hand side under way. */
interface Row {
  b: Float64Array;
  x: Float64Array;
  residual: Float64Array;
  direction: Float64Array;
  /** A times the direction. */
  image: Float64Array;
  /** Direction times image; 0 before the first step. */
  energy: number;
}

/**
 * Solves A x = b for several right-hand sides by conjugate gradients with a preconditioner, each row on its own but all
 * rows in one product a step. The preconditioner may be rounded (a factor in f32), so each direction is made conjugate to
 * the last one explicitly; a row counts as solved only by a residual computed anew. With a good factor this takes as few
 * steps as iterative refinement and goes on working where that diverges (Carson and Higham, SIAM J. Sci. Comput. 40, 2018,
 * with conjugate gradients in the place of GMRES).
 *
 * @param b [count, size], one right-hand side a row.
 * @returns The solutions and how good they are; whether that is enough is for the caller to judge.
 */
export async function conjugateGradients(
  system: PreconditionedSystem,
  b: Matrix,
  options: ConjugateGradientsOptions = {},
): Promise<ConjugateGradientsResult> {
  const { tol = 1e-12, maxIterations = 100 } = options;
  const x = matrix(b.rows, b.cols);
  const rows = Array.from({ length: b.rows }, (_, i): Row => ({
    b: rowOf(b, i),
    x: rowOf(x, i),
    residual: rowOf(b, i).slice(),
    direction: new Float64Array(b.cols),
    image: new Float64Array(b.cols),
    energy: 0,
  }));
  const isOpen = (row: Row): boolean => backwardError(row, system.norm) > tol;
  let iterations = 0;
  let open = rows.filter(isOpen);
  while (open.length > 0 && iterations < maxIterations) {
    await step(system, open);
    iterations++;
    open = open.filter(isOpen);
    if (open.length > 0 && iterations < maxIterations) continue;
    renewResiduals(system, x, rows);
    open = rows.filter(isOpen);
  }
  const worst = rows.reduce((most, row) => Math.max(most, backwardError(row, system.norm)), 0);
  return { x, backwardError: worst, iterations };
}

/** One step of every row. */
async function step(system: PreconditionedSystem, rows: readonly Row[]): Promise<void> {
  const preconditioned = await system.precondition(stack(rows.map((row) => row.residual)));
  rows.forEach((row, i) => {
    const z = rowOf(preconditioned, i);
    const { direction, image, energy } = row;
    const along = energy > 0 ? -dot(z, image, z.length) / energy : 0;
    for (let k = 0; k < z.length; k++) direction[k] = z[k] + along * direction[k];
  });
  const images = system.multiply(stack(rows.map((row) => row.direction)));
  rows.forEach((row, i) => {
    const { x, residual, direction, image } = row;
    image.set(rowOf(images, i));
    row.energy = dot(direction, image, image.length);
    // No positive energy: A is not positive definite or rounding is all that is left; the row stays as it is.
    if (!(row.energy > 0)) return;
    const length = dot(direction, residual, image.length) / row.energy;
    for (let k = 0; k < image.length; k++) {
      x[k] += length * direction[k];
      residual[k] -= length * image[k];
    }
  });
}

/** Residuals from the definition, after which every row starts anew. */
function renewResiduals(system: PreconditionedSystem, x: Matrix, rows: readonly Row[]): void {
  const products = system.multiply(x);
  rows.forEach((row, i) => {
    const product = rowOf(products, i);
    for (let k = 0; k < product.length; k++) row.residual[k] = row.b[k] - product[k];
    row.energy = 0;
  });
}

function backwardError(row: Row, norm: number): number {
  const residual = euclidean(row.residual);
  if (residual === 0) return 0;
  return residual / (norm * euclidean(row.x) + euclidean(row.b));
}

function euclidean(values: Float64Array): number {
  return Math.sqrt(dot(values, values, values.length));
}

function stack(rows: readonly Float64Array[]): Matrix {
  const out = matrix(rows.length, rows[0].length);
  rows.forEach((row, i) => out.data.set(row, i * row.length));
  return out;
}

function rowOf(a: Matrix, index: number): Float64Array {
  return a.data.subarray(index * a.cols, (index + 1) * a.cols);
}
