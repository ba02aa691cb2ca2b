import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { recordProduct } from "./matmul.ts";
import type { MatmulVariant } from "./matmul_problem.ts";
import { checkDistinct, checkShape, rowSizes } from "./rows.ts";

/** Operands of {@linkcode rankK}. */
export interface RankKInput {
  /** Rows whose outer products are summed, [..., n] f32. */
  x: Tensor;
  /** Symmetric matrix that the sum is added to, [n, n] f32. */
  into: Tensor;
}

/** Options of {@linkcode rankK}. */
export interface RankKOptions {
  /** Factor of the sum. Default: 1. */
  scale?: number | undefined;
  /** Forces a variant; for tests and measurements. Default: the one that `chooseVariant` gives. */
  variant?: MatmulVariant | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/**
 * Symmetric rank-k update, into += scale * xᵀx: the second moment of the rows of `x`.
 *
 * The result is symmetric bit for bit if `into` was: only the lower half is computed and mirrored, or, where `into` is
 * larger than a binding and written by ranges of rows, both halves are summed in the same order.
 *
 * @throws {RangeError} If `into` is not [n, n].
 * @throws {TypeError} If an operand is not f32 or both are one tensor.
 */
export function rankK(stream: Stream, input: RankKInput, options: RankKOptions = {}): void {
  const { x, into } = input;
  const action = "accumulate a second moment";
  const { rows: inner, width: n } = rowSizes(action, "x", x);
  checkShape(action, "into", into, [n, n]);
  checkDistinct(action, "into", into, [x]);
  if (inner === 0) return;
  const product = { layout: "tn", rows: n, cols: n, inner, a: x, b: x, bType: 0, bias: undefined, out: into } as const;
  recordProduct(
    stream,
    { ...product, accumulate: true, scale: options.scale ?? 1, symmetric: true },
    options,
  );
}
