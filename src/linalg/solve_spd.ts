import type { Stream } from "../gpu/stream.ts";
import { formatShape, type Tensor } from "../gpu/tensor.ts";
import { type CholeskyOptions, IllConditionedError } from "./cholesky.ts";
import { GpuCholesky } from "./cholesky_gpu.ts";
import { conjugateGradients, type ConjugateGradientsOptions } from "./conjugate_gradients.ts";
import { addScaled, frobeniusNorm, type Matrix, matrix, multiplyNt } from "./dense.ts";
import type { Metric } from "./metric.ts";

/** How {@linkcode solveSpd} and {@linkcode gpuMetric} solve. */
export interface SolveSpdOptions extends CholeskyOptions, ConjugateGradientsOptions {}

/** What {@linkcode solveSpd} returns. */
export interface SpdSolution {
  /** Solutions, one a row, [count, size] f32; owned by the caller. */
  x: Tensor;
  /** |b - x A| / (|A| |x| + |b|) in Frobenius norms, of `x` as returned, computed in float64. */
  backwardError: number;
  /** Steps of conjugate gradients with the f32 factor. */
  iterations: number;
  /** What was added to the diagonal of the equilibrated matrix so that f32 could factor it; the solution is of A itself. */
  shift: number;
  /** Estimate of the condition number of A; a lower bound where `shift` is not 0. */
  conditionEstimate: number;
}

/**
 * Solves A x = b for a symmetric positive definite A: an f32 factorisation and triangular solves on the GPU, and
 * conjugate gradients on them with products in float64 on the CPU.
 *
 * @param input `a` [size, size] f32; `b` [count, size] f32, one right-hand side a row.
 * @returns Solutions with how good they are.
 * @throws {IllConditionedError} If A is refused, or `tol` is not reached.
 * @throws {RangeError} If the shapes do not fit.
 * @throws {TypeError} If an operand is not f32.
 */
export async function solveSpd(
  stream: Stream,
  input: { a: Tensor; b: Tensor },
  options: SolveSpdOptions = {},
): Promise<SpdSolution> {
  const { a, b } = input;
  if (a.dtype !== "f32" || b.dtype !== "f32") {
    throw new TypeError(`Cannot solve a system with a of ${a.dtype} and b of ${b.dtype}: both must be f32`);
  }
  const size = a.shape[0];
  if (a.shape.length !== 2 || a.shape[1] !== size || b.shape.length !== 2 || b.shape[1] !== size) {
    throw new RangeError(
      `Cannot solve a system with a ${formatShape(a.shape)} and b ${formatShape(b.shape)}: wanted [size, size] and ` +
        `[count, size]`,
    );
  }
  const [aValues, bValues] = await stream.read(a, b);
  const wanted = matrix(b.shape[0], size, bValues);
  using metric = await gpuMetric(stream, matrix(size, size, aValues), options);
  const { x, iterations } = await metric.solve(wanted);
  const rounded = Float32Array.from(x.data);
  const residual = addScaled(wanted, metric.multiply(matrix(x.rows, size, rounded)), -1);
  const scale = metric.norm * frobeniusNorm(x) + frobeniusNorm(wanted);
  return {
    x: stream.gpu.upload(rounded, [x.rows, size], "solution"),
    backwardError: scale === 0 ? 0 : frobeniusNorm(residual) / scale,
    iterations,
    shift: metric.shift,
    conditionEstimate: metric.conditionEstimate,
  };
}

/** A metric whose factor lies on the GPU. */
export interface GpuMetric extends Metric, Disposable {
  /** What was added to the diagonal of the equilibrated matrix so that f32 could factor it. */
  readonly shift: number;
  /** M⁻¹ of each row, to full float64 accuracy, with the steps it took. */
  solve(rows: Matrix): Promise<{ x: Matrix; iterations: number }>;
  /** M⁻¹ of each row, to full float64 accuracy. */
  applyInverse(rows: Matrix): Promise<Matrix>;
}

/**
 * A metric over a matrix that is given whole, factored on the GPU: for dMlp of some thousands, where a float64
 * factorisation on the CPU takes too long.
 *
 * @param m [size, size], symmetric positive definite; kept by reference.
 * @returns The metric; the caller disposes it.
 * @throws {IllConditionedError} If `m` is refused; its `solve` also where `tol` is not reached.
 * @throws {RangeError} If `m` is empty or not square.
 */
export async function gpuMetric(stream: Stream, m: Matrix, options: SolveSpdOptions = {}): Promise<GpuMetric> {
  const { label = "the matrix", tol = 1e-12 } = options;
  const factor = await GpuCholesky.factor(stream, m, options);
  const norm = frobeniusNorm(m);
  const multiply = (rows: Matrix): Matrix => multiplyNt(rows, m);
  const precondition = (rows: Matrix): Promise<Matrix> => factor.solve(rows);
  const solve = async (rows: Matrix): Promise<{ x: Matrix; iterations: number }> => {
    const found = await conjugateGradients({ multiply, precondition, norm }, rows, { ...options, tol });
    if (found.backwardError <= tol) return found;
    throw new IllConditionedError(
      `Cannot solve with ${label} [${m.rows}, ${m.cols}]: a backward error of ${
        found.backwardError.toExponential(1)
      } ` +
        `was reached after ${found.iterations} steps, wanted ${
          tol.toExponential(1)
        }; its condition number is at least ` +
        `${factor.conditionEstimate.toExponential(1)}. Add a ridge or use more data`,
      factor.conditionEstimate,
    );
  };
  return {
    size: m.rows,
    norm,
    conditionEstimate: factor.conditionEstimate,
    shift: factor.shift,
    multiply,
    solve,
    applyInverse: async (rows) => (await solve(rows)).x,
    [Symbol.dispose]: () => factor[Symbol.dispose](),
  };
}
