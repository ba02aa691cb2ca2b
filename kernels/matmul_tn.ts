import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { multiply } from "./matmul.ts";
import { checkInner, type MatmulOptions } from "./matmul_problem.ts";
import { checkShape, rowSizes } from "./rows.ts";

/** Operands of {@linkcode matmulTn}. */
export interface MatmulTnInput {
  /** Left operand, [..., rows] f32; the leading dimensions, flattened, are the inner one. */
  a: Tensor;
  /** Right operand, [inner, cols] f32. */
  b: Tensor;
}

/**
 * Matrix product with the first operand transposed, y = aᵀ b: sums over tokens, such as the gradient of a weight.
 *
 * @returns y [rows, cols] f32; or `options.out`.
 * @throws {RangeError} If the inner dimensions differ or `out` has another size.
 * @throws {TypeError} If an operand is not f32, `out` is an operand, or `accumulate` comes without `out`.
 */
export function matmulTn(stream: Stream, input: MatmulTnInput, options: MatmulOptions = {}): Tensor {
  const { a, b } = input;
  const { rows: inner, width: rows } = rowSizes("multiply", "a", a);
  checkInner(a, inner, b, 0);
  const cols = b.shape[1]!;
  checkShape("multiply", "b", b, [inner, cols]);
  return multiply(stream, { layout: "tn", rows, cols, inner, a, b, bType: 0, bias: undefined }, options);
}
