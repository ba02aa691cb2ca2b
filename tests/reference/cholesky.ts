/**
 * Float64 twins of the blocked Cholesky kernels, each a plain loop over row-major arrays.
 *
 * @module
 */

/** L of A = L Lᵀ for an [n, n] matrix; zero above the diagonal. */
export function lowerFactor(a: ArrayLike<number>, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j];
    }
  }
  return lower;
}

/** L⁻¹ of a lower triangular [n, n] matrix. */
export function lowerInverse(lower: ArrayLike<number>, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= lower[i * n + k] * inverse[k * n + j];
      inverse[i * n + j] = sum / lower[i * n + i];
    }
  }
  return inverse;
}

/** The square block of rows and columns from `start` on. */
export function blockOf(a: ArrayLike<number>, n: number, start: number, block: number): Float64Array {
  return Float64Array.from(
    { length: block * block },
    (_, at) => a[(start + Math.floor(at / block)) * n + start + at % block],
  );
}

/** The sum over k of left(k) * right(k) with the sum of magnitudes, which bounds its rounding. */
export function sumOfProducts(
  count: number,
  left: (k: number) => number,
  right: (k: number) => number,
): { value: number; size: number } {
  let value = 0;
  let size = 0;
  for (let k = 0; k < count; k++) {
    value += left(k) * right(k);
    size += Math.abs(left(k) * right(k));
  }
  return { value, size };
}
