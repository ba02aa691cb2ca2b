/**
 * Dense float64 matrices on the CPU: what is too small or too delicate for the GPU's f32.
 *
 * @module
 */

/** A row-major float64 matrix. */
export interface Matrix {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly cols: number;
  /** Elements, `rows * cols` of them. */
  readonly data: Float64Array;
}

/**
 * Makes a matrix. A Float64Array is taken as it is, not copied; anything else is widened into a new one.
 *
 * @param data Elements row by row. Default: zeros.
 * @returns The matrix.
 * @throws {RangeError} If the number of elements is not `rows * cols`.
 */
export function matrix(rows: number, cols: number, data?: ArrayLike<number>): Matrix {
  if (data === undefined) return { rows, cols, data: new Float64Array(rows * cols) };
  if (data.length !== rows * cols) {
    throw new RangeError(
      `Cannot make a matrix [${rows}, ${cols}]: wanted ${rows * cols} elements, got ${data.length}`,
    );
  }
  return { rows, cols, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

/**
 * Rows become columns.
 *
 * @param a [rows, cols].
 * @returns A new matrix [cols, rows].
 */
export function transpose(a: Matrix): Matrix {
  const { rows, cols } = a;
  const out = matrix(cols, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out.data[j * rows + i] = a.data[i * cols + j];
  }
  return out;
}

/**
 * The product a b.
 *
 * @param a [rows, inner].
 * @param b [inner, cols].
 * @returns A new matrix [rows, cols].
 * @throws {RangeError} If the inner dimensions differ.
 */
export function multiply(a: Matrix, b: Matrix): Matrix {
  checkInner(a, b, "b", b.rows);
  const { rows, cols: inner } = a;
  const cols = b.cols;
  const out = matrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    const sums = out.data.subarray(i * cols, (i + 1) * cols);
    for (let k = 0; k < inner; k++) {
      const factor = a.data[i * inner + k];
      const row = b.data.subarray(k * cols, (k + 1) * cols);
      for (let j = 0; j < cols; j++) sums[j] += factor * row[j];
    }
  }
  return out;
}

/**
 * The product a bᵀ: dot products of rows.
 *
 * @param a [rows, inner].
 * @param b [cols, inner].
 * @returns A new matrix [rows, cols].
 * @throws {RangeError} If the inner dimensions differ.
 */
export function multiplyNt(a: Matrix, b: Matrix): Matrix {
  checkInner(a, b, "b transposed", b.cols);
  const inner = a.cols;
  const out = matrix(a.rows, b.rows);
  for (let i = 0; i < a.rows; i++) {
    const row = a.data.subarray(i * inner, (i + 1) * inner);
    for (let j = 0; j < b.rows; j++) {
      out.data[i * b.rows + j] = dot(row, b.data.subarray(j * inner, (j + 1) * inner), inner);
    }
  }
  return out;
}

/**
 * a + scale * b.
 *
 * @returns A new matrix.
 * @throws {RangeError} If the shapes differ.
 */
export function addScaled(a: Matrix, b: Matrix, scale: number): Matrix {
  if (a.rows !== b.rows || a.cols !== b.cols) {
    throw new RangeError(
      `Cannot add a [${a.rows}, ${a.cols}] and b [${b.rows}, ${b.cols}]: shapes must match`,
    );
  }
  const out = matrix(a.rows, a.cols);
  for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i] + scale * b.data[i];
  return out;
}

/**
 * Square root of the sum of squares.
 *
 * @returns The Frobenius norm.
 */
export function frobeniusNorm(a: Matrix): number {
  // Scaled by the largest entry, so that squares neither overflow nor vanish.
  const largest = maxNorm(a);
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of a.data) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/**
 * Largest sum of magnitudes of a row; of a symmetric matrix also its 1-norm.
 *
 * @returns The infinity norm.
 */
export function infinityNorm(a: Matrix): number {
  let largest = 0;
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let j = 0; j < a.cols; j++) sum += Math.abs(a.data[i * a.cols + j]);
    largest = Math.max(largest, sum);
  }
  return largest;
}

/**
 * Largest magnitude of an element.
 *
 * @returns The maximum, 0 for no elements.
 */
export function maxNorm(a: Matrix): number {
  let largest = 0;
  for (const value of a.data) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/**
 * Checks that a matrix is square.
 *
 * @param action What the caller is about to do, as in `Cannot <action>`.
 * @throws {RangeError} If it is not.
 */
export function checkSquare(action: string, a: Matrix): void {
  if (a.rows !== a.cols) throw new RangeError(`Cannot ${action}: wanted a square one, got [${a.rows}, ${a.cols}]`);
}

/**
 * Dot product of the first `count` elements, with four partial sums: they hide the latency of an addition.
 *
 * @returns The sum of products.
 */
export function dot(a: Float64Array, b: Float64Array, count: number): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, k = 0;
  for (; k + 3 < count; k += 4) {
    s0 += a[k] * b[k];
    s1 += a[k + 1] * b[k + 1];
    s2 += a[k + 2] * b[k + 2];
    s3 += a[k + 3] * b[k + 3];
  }
  for (; k < count; k++) s0 += a[k] * b[k];
  return (s0 + s1) + (s2 + s3);
}

function checkInner(a: Matrix, b: Matrix, name: string, inner: number): void {
  if (a.cols === inner) return;
  throw new RangeError(
    `Cannot multiply a [${a.rows}, ${a.cols}] by ${name} [${b.rows}, ${b.cols}]: inner dimensions must match, ` +
      `got ${a.cols} and ${inner}`,
  );
}
