/**
 * Twin of the matrix products, on row-major arrays.
 *
 * @module
 */

/** Sizes of a product, and which operands lie transposed: `nt` is a bᵀ, `nn` is a b, `tn` is aᵀ b. */
export interface ProductSizes {
  /** Which operands lie transposed. */
  layout: "nt" | "nn" | "tn";
  /** Rows of the product. */
  rows: number;
  /** Columns of the product. */
  cols: number;
  /** Terms of each inner product. */
  inner: number;
}

/** Twin of `matmulNt`, `matmulNn`, `matmulTn` without bias, and of the sum of `rankK`. */
export function matmul(
  { layout, rows, cols, inner }: ProductSizes,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        const x = layout === "tn" ? a[k * rows + r]! : a[r * inner + k]!;
        const w = layout === "nt" ? b[c * inner + k]! : b[k * cols + c]!;
        sum += x * w;
      }
      out[r * cols + c] = sum;
    }
  }
  return out;
}
