/**
 * Operands that the tests of the blocked Cholesky kernels share.
 *
 * @module
 */
import { spdMatrix } from "../reference/random.ts";

/** A symmetric positive definite [n, n] matrix of f32 numbers with this condition number. */
export function spdValues(n: number, condition: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(spdMatrix(n, condition, seed).data);
}

/** First rows of the blocks of an [n, n] matrix. */
export function starts(n: number): number[] {
  return Array.from({ length: n / 64 }, (_, k) => k * 64);
}
