/**
 * How far an edit computed in float32 may be from its float64 golden.
 *
 * Each number is about twenty times the worst distance between runs of the published code in float32 and in float64
 * (relative Frobenius norm; loss and logits absolute), which leaves room for other orders of summation on a GPU.
 *
 * @module
 */
import { type Check, largestError } from "./checks.ts";

/** Keys, outputs and values of a model that no write has changed: worst observed 6e-6. */
export const UNEDITED_TOLERANCE = 2e-5;

/** Keys and outputs after earlier writes, vectors of a search, their gradients and residuals: worst observed 2.9e-5. */
export const EDITED_TOLERANCE = 5e-4;

/** Loss and its parts at any step, absolute: worst observed 2.4e-5. */
export const LOSS_TOLERANCE = 5e-4;

/** Updates of a weight, and residuals of chain mode: worst observed 4.6e-5. */
export const UPDATE_TOLERANCE = 1e-3;

/** Logits, absolute: worst observed 2.1e-4 for logits with a standard deviation of 3. */
export const LOGIT_TOLERANCE = 5e-3;

/**
 * Checks the Frobenius norm of a difference as a part of the golden's norm; where the golden is zero, as it is.
 *
 * @returns The check; its error is infinite where lengths differ or a value is no number.
 */
export function checkFrobenius(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
): Check {
  if (largestError(got, want) === Infinity) return { what, error: Infinity, tolerance };
  let difference = 0;
  let size = 0;
  for (let i = 0; i < want.length; i++) {
    difference += (got[i]! - want[i]!) ** 2;
    size += want[i]! ** 2;
  }
  return { what, error: Math.sqrt(size > 0 ? difference / size : difference), tolerance };
}

/** Rows of a row-major matrix [rows, cols] as columns: [cols, rows]. */
export function transposed(values: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = values[i * cols + j]!;
  return out;
}
