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
  return { rows, cols, data: data instanceof Float64Array ? data : new Float64Array(data) };
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
  const out = matrix(a.rows, b.rows);
  const left = rowsOf(a), right = rowsOf(b);
  for (let i = 0; i < a.rows; i += 2) {
    for (let j = 0; j < b.rows; j += 2) dotsOfPairs(left, i, right, j, a.cols, out);
  }
  return out;
}

/**
 * The product a aᵀ, at half the work of {@linkcode multiplyNt}.
 *
 * @param a [rows, inner].
 * @returns A new matrix [rows, rows], symmetric to the last bit.
 */
export function gram(a: Matrix): Matrix {
  const n = a.rows;
  const out = matrix(n, n);
  const rows = rowsOf(a);
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j <= i; j += 2) dotsOfPairs(rows, i, rows, j, a.cols, out);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) out.data[j * n + i] = out.data[i * n + j];
  }
  return out;
}

/** Views of the rows of a matrix. */
export function rowsOf(a: Matrix): Float64Array[] {
  return Array.from({ length: a.rows }, (_, i) => a.data.subarray(i * a.cols, (i + 1) * a.cols));
}

/**
 * Writes the dot products of rows i and i + 1 of one matrix with rows j and j + 1 of another, as far as there are such
 * rows: every load serves two products, and four sums hide the latency of an addition.
 *
 * @param count Elements of each row that take part.
 * @param out Where element (i, j) and its neighbours go.
 */
export function dotsOfPairs(
  left: readonly Float64Array[],
  i: number,
  right: readonly Float64Array[],
  j: number,
  count: number,
  out: Matrix,
): void {
  // The last of an odd number of rows stands for the missing one too.
  const nextI = Math.min(i + 1, left.length - 1), nextJ = Math.min(j + 1, right.length - 1);
  const a0 = left[i], a1 = left[nextI], b0 = right[j], b1 = right[nextJ];
  let s00 = 0, s01 = 0, s10 = 0, s11 = 0;
  for (let k = 0; k < count; k++) {
    const x0 = a0[k], x1 = a1[k], y0 = b0[k], y1 = b1[k];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s10 += x1 * y0;
    s11 += x1 * y1;
  }
  const { data, cols } = out;
  data[i * cols + j] = s00;
  data[i * cols + nextJ] = s01;
  data[nextI * cols + j] = s10;
  data[nextI * cols + nextJ] = s11;
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
