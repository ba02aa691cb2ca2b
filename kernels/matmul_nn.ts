import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { multiply } from "./matmul.ts";
import { checkInner, type MatmulOptions, type WeightProductInput } from "./matmul_problem.ts";
import { rowSizes } from "./rows.ts";

/**
 * Matrix product y = a b + bias: the forward of a linear layer whose weight is stored [in, out], and the gradient with
 * respect to the input of one stored [out, in].
 *
 * @param input `a` [..., inner] f32, `b` [inner, cols] f32, f16, bf16 or packed, `bias` [cols] f32, f16 or bf16.
 * @returns y [rows, cols] f32 with rows the product of the leading dimensions of `a`; or `options.out`.
 * @throws {RangeError} If the inner dimensions differ, or `bias` or `out` has another size.
 * @throws {TypeError} If a dtype does not fit, `out` is an operand, or `accumulate` comes without `out`.
 */
export function matmulNn(stream: Stream, input: WeightProductInput, options: MatmulOptions = {}): Tensor {
  const { a, b, bias } = input;
  const { rows, width: inner } = rowSizes("multiply", "a", a);
  const bType = checkInner(a, inner, b, 0);
  return multiply(stream, { layout: "nn", rows, cols: b.shape[1]!, inner, a, b, bType, bias }, options);
}
