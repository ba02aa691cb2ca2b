import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchNaive } from "./matmul_naive.ts";
import { type MatmulOptions, type MatmulProblem, type MatmulVariant } from "./matmul_problem.ts";
import { dispatchRegister } from "./matmul_register.ts";
import { dispatchSubgroup } from "./matmul_subgroup.ts";
import { dispatchTile } from "./matmul_tile.ts";
import { checkVariant, chooseVariant } from "./matmul_variant.ts";
import { dispatchMatvec } from "./matvec.ts";
import { checkWeight, outputTensor } from "./rows.ts";

const DISPATCH: Record<MatmulVariant, (stream: Stream, problem: MatmulProblem, groupLimit?: number) => void> = {
  subgroup: dispatchSubgroup,
  register: dispatchRegister,
  tile: dispatchTile,
  matvec: dispatchMatvec,
  naive: dispatchNaive,
};

/**
 * Makes the output of a product whose sizes were checked, and records it.
 *
 * @throws {RangeError} If `bias` or `out` has another size.
 * @throws {TypeError} If `accumulate` comes without `out`, `out` is an operand, or the variant cannot run.
 */
export function multiply(
  stream: Stream,
  product: Omit<MatmulProblem, "out" | "accumulate" | "scale" | "symmetric">,
  options: MatmulOptions,
): Tensor {
  const { rows, cols, a, b, bias } = product;
  const accumulate = options.accumulate ?? false;
  if (accumulate && !options.out) throw new TypeError("Cannot multiply: accumulate needs a tensor out to add to");
  if (bias) checkWeight("multiply", "bias", bias, [cols]);
  if (options.variant) checkVariant(stream.gpu, options.variant, product);
  const operands = bias ? [a, b, bias] : [a, b];
  const label = options.label ?? `matmul ${product.layout}`;
  const out = outputTensor(stream, "multiply", [rows, cols], operands, { ...options, label });
  recordProduct(stream, { ...product, out, accumulate, scale: 1, symmetric: false }, options);
  return out;
}

/**
 * Records a product with the variant asked for or chosen; one without outputs records nothing.
 *
 * @throws {TypeError} If the variant cannot run.
 */
export function recordProduct(
  stream: Stream,
  problem: MatmulProblem,
  options: Pick<MatmulOptions, "variant" | "groupLimit">,
): void {
  const { rows, cols, inner, layout } = problem;
  if (options.variant) checkVariant(stream.gpu, options.variant, problem);
  if (rows === 0 || cols === 0) return;
  const variant = options.variant ?? chooseVariant(stream.gpu, rows, cols, inner, layout);
  DISPATCH[variant](stream, problem, options.groupLimit);
}
