import { Cholesky } from "./cholesky.ts";
import { gram, type Matrix, matrix } from "./dense.ts";

/** Group of a row that is never left out. */
export const ALWAYS_IN = -1;

/** Groups that must be there before leaving one out tells how the others carry over. */
export const LEAST_GROUPS = 3;

/**
 * What a least-squares fit leaves undone on rows that it was not made from: wanted minus given, each group left out in
 * turn.
 *
 * For a fit through S = noise + (inner products of the keys), the residual of a left-out group g is
 * ((S⁻¹)_gg)⁻¹ (S⁻¹ Y)_g, so all groups come from one inverse (block form of the leave-one-out residual of ridge
 * regression; Golub, Heath and Wahba, "Generalized cross-validation", 1979).
 *
 * @param system S, [u, u], symmetric positive definite.
 * @param wanted Y, one a row, [u, width].
 * @param groups Group of each row, u of them; {@linkcode ALWAYS_IN} for rows that are not left out.
 * @returns [u, width]; rows that are not left out are 0.
 * @throws {IllConditionedError} If S is refused.
 * @throws {RangeError} If the sizes do not fit.
 */
export function leftOutResiduals(system: Matrix, wanted: Matrix, groups: readonly number[]): Matrix {
  const u = system.rows;
  const { cols } = wanted;
  if (wanted.rows !== u || groups.length !== u) {
    throw new RangeError(
      `Cannot leave rows out of a system of ${u}: found ${wanted.rows} wanted rows and ${groups.length} groups, ` +
        `wanted one of each a row`,
    );
  }
  const out = matrix(u, cols);
  const factor = new Cholesky(system, { label: "the system of keys" });
  // Rows are columns of L⁻¹, and S⁻¹ = L⁻ᵀ L⁻¹ holds their inner products.
  const inverse = gram(factor.solveLower(identity(u)));
  for (const group of new Set(groups)) {
    if (group === ALWAYS_IN) continue;
    const rows = groups.flatMap((of, row) => of === group ? [row] : []);
    const block = matrix(rows.length, rows.length);
    // (S⁻¹ Y)_g transposed, [width, rows]: the solver takes right-hand sides as rows.
    const fitted = matrix(cols, rows.length);
    rows.forEach((row, i) => {
      rows.forEach((other, j) => block.data[i * rows.length + j] = inverse.data[row * u + other]!);
      for (let k = 0; k < u; k++) {
        const weight = inverse.data[row * u + k]!;
        for (let c = 0; c < cols; c++) fitted.data[c * rows.length + i]! += weight * wanted.data[k * cols + c]!;
      }
    });
    const residual = new Cholesky(block, { label: "the system of a left-out group" }).solve(fitted);
    rows.forEach((row, i) => {
      for (let c = 0; c < cols; c++) out.data[row * cols + c] = residual.data[c * rows.length + i]!;
    });
  }
  return out;
}

/**
 * The part of what is wanted that left-out rows are given, sum of (given, wanted) over that of |wanted|².
 *
 * @param system S, [u, u], symmetric positive definite.
 * @param wanted Y, one a row, [u, width].
 * @param groups Group of each row; {@linkcode ALWAYS_IN} for rows that are not left out.
 * @returns 1 if left-out rows are given all; NaN if none is left out or nothing is wanted.
 */
export function leftOutShare(system: Matrix, wanted: Matrix, groups: readonly number[]): number {
  const missing = leftOutResiduals(system, wanted, groups).data;
  let undone = 0;
  let all = 0;
  groups.forEach((group, row) => {
    if (group === ALWAYS_IN) return;
    for (let at = row * wanted.cols; at < (row + 1) * wanted.cols; at++) {
      undone += missing[at]! * wanted.data[at]!;
      all += wanted.data[at]! ** 2;
    }
  });
  return all > 0 ? 1 - undone / all : NaN;
}

function identity(n: number): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++) out.data[i * n + i] = 1;
  return out;
}
