import { Cholesky, type CholeskyOptions } from "./cholesky.ts";
import { addScaled, frobeniusNorm, gram, type Matrix, matrix, multiply, multiplyNt, transpose } from "./dense.ts";
import { leftOutShare } from "./left_out.ts";
import type { Metric } from "./metric.ts";

/** What a closed-form write is computed from; columns of the formulas are rows here. */
export interface ThinSystem {
  /** Keys K, one a row, [u, dMlp]. */
  keys: Matrix;
  /** Wanted minus present outputs R, one a row, [u, dModel]. */
  residual: Matrix;
  /** What R is divided by: layers left, or its square root. */
  divisor: number;
  /** Metric over keys, dMlp x dMlp. */
  metric: Metric;
}

/** A factored change D = left rightᵀ of a weight [dModel, dMlp]. */
export interface ThinUpdate {
  /** [dModel, u]. */
  left: Matrix;
  /** [dMlp, u]. */
  right: Matrix;
  /** |D A - R Kᵀ / divisor| / (|D| |A| + |R Kᵀ / divisor|) in Frobenius norms, A = ridge M + K Kᵀ the full system. */
  backwardError: number;
  /** Estimate of the condition number of the metric or of the u x u system, whichever is larger. */
  conditionEstimate: number;
  /** What R was multiplied by, so that left-out keys would receive the whole of it; 1 if nothing was left out. */
  gain: number;
}

/** Keys that stand for others of their kind, for which a write is lengthened. */
export interface LeftOut {
  /** Group of each key; whole groups are left out, and keys of group -1 never. */
  groups: readonly number[];
  /** Largest gain, 1 or more. */
  maxGain: number;
}

/** How {@linkcode chainUpdate} solves. */
export interface ChainUpdateOptions extends CholeskyOptions {
  /** Ridge of the u x u system, above 0. */
  ridge: number;
  /** Groups of keys that the length of the change is set by. Default: none, a gain of 1. */
  leftOut?: LeftOut;
}

/**
 * The closed form of MEMIT, PMET and ACE: D = (R / divisor) Kᵀ (M + K Kᵀ)⁻¹, computed as
 * (R / divisor) (I + Kᵀ G)⁻¹ Gᵀ with G = M⁻¹ K, so that only a u x u system is solved for an edit
 * (Meng et al., "Mass-editing memory in a transformer", 2023, equation 14, through the push-through identity).
 *
 * @param system Keys, residuals, divisor, and M = lambda C.
 * @returns The factored change with its residual.
 * @throws {IllConditionedError} If the u x u system is refused.
 * @throws {RangeError} If the sizes do not fit.
 */
export function memitUpdate(system: ThinSystem, options: CholeskyOptions = {}): Promise<ThinUpdate> {
  return chainUpdate(system, { ...options, ridge: 1 });
}

/**
 * The least squares of ACE's chain mode: D = (R / divisor) (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹, with one key column per
 * support prompt and target token, and what must stay in the metric M.
 *
 * @param system Keys, residuals, divisor, and M.
 * @returns The factored change with its residual.
 * @throws {IllConditionedError} If the u x u system is refused; its estimate says by how much.
 * @throws {RangeError} If the sizes do not fit or the ridge is not positive.
 */
export async function chainUpdate(system: ThinSystem, options: ChainUpdateOptions): Promise<ThinUpdate> {
  check(system, options.ridge);
  const { keys, residual, divisor, metric } = system;
  const { ridge, leftOut } = options;
  const solved = await metric.applyInverse(keys); // Gᵀ [u, dMlp]
  const small = regularised(multiplyNt(keys, solved), ridge); // [u, u]
  const cholesky = new Cholesky(small, { label: "the system of keys", ...options });
  const gain = leftOut ? gainOf(leftOutShare(small, residual, leftOut.groups), leftOut.maxGain) : 1;
  const scale = gain / divisor;
  const wanted = transpose(matrix(residual.rows, residual.cols, residual.data.map((value) => value * scale)));
  const left = cholesky.solve(wanted); // [dModel, u]
  return {
    left,
    right: transpose(solved),
    backwardError: fullBackwardError({ keys, wanted, metric, ridge, left, solved }),
    conditionEstimate: Math.max(metric.conditionEstimate, cholesky.conditionEstimate),
    gain,
  };
}

/** 1 / share from 1 to `most`: a write is never shortened, and a share that says nothing changes nothing. */
function gainOf(share: number, most: number): number {
  if (Number.isNaN(share)) return 1;
  return share > 0 ? Math.min(most, Math.max(1, 1 / share)) : most;
}

/** ridge I + the symmetric part: K and M⁻¹ K were rounded apart. */
function regularised(gram: Matrix, ridge: number): Matrix {
  const out = addScaled(gram, transpose(gram), 1);
  for (let i = 0; i < out.data.length; i++) out.data[i] /= 2;
  for (let i = 0; i < out.rows; i++) out.data[i * out.cols + i] += ridge;
  return out;
}

/** Normwise backward error of D in the full system, from thin products only. */
function fullBackwardError(
  of: { keys: Matrix; wanted: Matrix; metric: Metric; ridge: number; left: Matrix; solved: Matrix },
): number {
  const { keys, wanted, metric, ridge, left, solved } = of;
  // Gᵀ A = ridge Gᵀ M + (Gᵀ K) Kᵀ, [u, dMlp]
  const through = addScaled(multiply(multiplyNt(solved, keys), keys), metric.multiply(solved), ridge);
  const target = multiply(wanted, keys); // [dModel, dMlp]
  const error = frobeniusNorm(addScaled(multiply(left, through), target, -1));
  // |A|² is at least the sum of the squares of its two positive semidefinite parts.
  const normA = Math.hypot(ridge * metric.norm, frobeniusNorm(gram(keys)));
  const scale = frobeniusNorm(multiply(left, solved)) * normA + frobeniusNorm(target);
  return scale === 0 ? 0 : error / scale;
}

function check(system: ThinSystem, ridge: number): void {
  const { keys, residual, divisor, metric } = system;
  if (keys.rows !== residual.rows || keys.cols !== metric.size) {
    throw new RangeError(
      `Cannot compute a write from keys [${keys.rows}, ${keys.cols}], residuals [${residual.rows}, ${residual.cols}] ` +
        `and a metric of size ${metric.size}: wanted as many keys as residuals, and keys as wide as the metric`,
    );
  }
  if (!(divisor > 0) || !(ridge > 0)) {
    throw new RangeError(`Cannot compute a write with divisor ${divisor} and ridge ${ridge}: both must be above 0`);
  }
}
