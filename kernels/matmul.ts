import { type Binding, rowRanges, tensorOf, type TensorRange } from "../src/gpu/binding.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { dispatchNaive } from "./matmul_naive.ts";
import { type MatmulOptions, type MatmulProblem, type MatmulVariant, NO_BIAS } from "./matmul_problem.ts";
import { dispatchRegister } from "./matmul_register.ts";
import { dispatchSubgroup } from "./matmul_subgroup.ts";
import { dispatchTile } from "./matmul_tile.ts";
import { checkVariant, chooseVariant } from "./matmul_variant.ts";
import { dispatchMatvec } from "./matvec.ts";
import { MAX_ROUNDS } from "./rounds.ts";
import { checkWeight, outputTensor } from "./rows.ts";

const DISPATCH: Record<MatmulVariant, (stream: Stream, problem: MatmulProblem, groupLimit?: number) => void> = {
  subgroup: dispatchSubgroup,
  register: dispatchRegister,
  tile: dispatchTile,
  matvec: dispatchMatvec,
  naive: dispatchNaive,
};

/**
 * Terms of a sum that a variant adds for each round of its loops, which is one round more than they are run: the last test
 * counts. The 8 lanes of `matvec` take at most 1 + 9 + 5 + 4 * 9 for 64 terms of 8 rows. `tile` takes one for 32 terms, of
 * which it adds a quarter: rounds with as much work and two barriers are not to run for seconds.
 */
const TERMS_A_ROUND: Record<MatmulVariant, number> = {
  subgroup: 4,
  register: 4,
  tile: 32 / 4,
  matvec: 64 / 51,
  naive: 1,
};

/** Terms that parts of sums are multiples of, as the steps of every variant and the largest packed block divide them. */
const TERM_UNIT = 256;

/** A product of whole tensors. */
export interface Product extends Pick<MatmulProblem, "layout" | "rows" | "cols" | "inner" | "bType"> {
  /** Left operand. */
  a: Tensor;
  /** Right operand. */
  b: Tensor;
  /** Added to each row. */
  bias: Tensor | undefined;
}

/** A product with its output, and what happens to it. */
export interface ProductInto extends Product, Pick<MatmulProblem, "accumulate" | "scale" | "symmetric"> {
  /** Receives the product. */
  out: Tensor;
}

/**
 * Makes the output of a product whose sizes were checked, and records it.
 *
 * @throws {RangeError} If `bias` or `out` has another size, or one binding does not hold 128 rows of the output.
 * @throws {TypeError} If `accumulate` comes without `out`, `out` is an operand, or the variant cannot run.
 */
export function multiply(stream: Stream, product: Product, options: MatmulOptions): Tensor {
  const { rows, cols, a, b, bias } = product;
  const accumulate = options.accumulate ?? false;
  if (accumulate && !options.out) throw new TypeError("Cannot multiply: accumulate needs a tensor out to add to");
  if (bias) checkWeight("multiply", "bias", bias, [cols]);
  if (options.variant) checkVariant(stream.gpu, options.variant, product);
  const operands = bias ? [a, b, bias] : [a, b];
  const label = options.label ?? `matmul ${product.layout}`;
  const out = outputTensor(stream, "multiply", [rows, cols], operands, { ...options, label });
  try {
    recordProduct(stream, { ...product, out, accumulate, scale: 1, symmetric: false }, options);
  } catch (error) {
    if (out !== options.out) out.dispose();
    throw error;
  }
  return out;
}

/**
 * Records a product with the variant asked for or chosen; one without outputs records nothing.
 *
 * @throws {TypeError} If the variant cannot run.
 */
export function recordProduct(
  stream: Stream,
  product: ProductInto,
  options: Pick<MatmulOptions, "variant" | "groupLimit">,
): void {
  const { rows, cols, layout } = product;
  if (options.variant) checkVariant(stream.gpu, options.variant, product);
  if (rows === 0 || cols === 0) return;
  for (const problem of problemsOf(product)) {
    const variant = options.variant ?? chooseVariant(stream.gpu, rows, problem.cols, problem.inner, layout);
    for (const part of termParts(problem, TERMS_A_ROUND[variant])) DISPATCH[variant](stream, part, options.groupLimit);
  }
}

/** The product in parts that bind no more of the output and of the weight than one binding holds, mostly one. */
function problemsOf(product: ProductInto): MatmulProblem[] {
  const { layout, rows, cols, inner, a, b, bias, out } = product;
  const biasType = bias ? checkWeight("multiply", "bias", bias, [cols]) : NO_BIAS;
  const whole: MatmulProblem = {
    ...product,
    first: 0,
    end: inner,
    biasType,
    aStride: layout === "tn" ? rows : inner,
    yStride: cols,
  };
  return rowRanges(out.view([rows, cols])).flatMap(({ first, rows: count }) => {
    if (count === rows) return weightParts(whole, b);
    return weightParts({
      ...whole,
      rows: count,
      a: layout === "tn"
        ? shifted(a, 4 * first)
        : { tensor: a, byteOffset: 4 * first * inner, byteLength: 4 * count * inner },
      out: { tensor: out, byteOffset: 4 * first * cols, byteLength: 4 * count * cols },
      // The mirror image of a part lies in other parts, so both halves are computed, each sum in the same order.
      symmetric: false,
    }, b);
  });
}

/**
 * A product in parts of the weight `b`. Rows of the weight are columns of the output in layout `nt`. In `nn` they are
 * terms of the sums: the parts after the first are added to it.
 */
function weightParts(problem: MatmulProblem, b: Tensor): MatmulProblem[] {
  const { layout, bias, a, out, cols } = problem;
  if (layout === "tn") return [problem];
  return rowRanges(b).map(({ first, rows: count, binding }) => {
    if (count === b.shape[0]) return problem;
    if (layout === "nt") {
      const shift = bias && shifted(bias, first * (tensorOf(bias).byteLength / cols));
      return { ...problem, cols: count, b: binding, bias: shift, out: shifted(out, 4 * first) };
    }
    const part = { ...problem, inner: count, end: count, a: shifted(a, 4 * first), b: binding };
    return first === 0 ? part : addedTo(part);
  });
}

/** A product in parts of its sums that one launch may loop over: the parts after the first are added to it. */
function termParts(problem: MatmulProblem, termsARound: number): MatmulProblem[] {
  const { inner } = problem;
  const most = Math.floor(MAX_ROUNDS * termsARound / TERM_UNIT) * TERM_UNIT;
  if (inner <= most) return [problem];
  return Array.from({ length: Math.ceil(inner / most) }, (_, i) => {
    const part = { ...problem, first: i * most, end: Math.min(inner, (i + 1) * most) };
    return i === 0 ? part : addedTo(part);
  });
}

/** The part of a product that is added to what its first part has left. */
function addedTo(part: MatmulProblem): MatmulProblem {
  return { ...part, accumulate: true, bias: undefined, biasType: NO_BIAS };
}

/** What is bound, from `bytes` further on. */
function shifted(binding: Binding, bytes: number): TensorRange {
  if (!("tensor" in binding)) return { tensor: binding, byteOffset: bytes };
  const { tensor, byteOffset, byteLength } = binding;
  return {
    tensor,
    byteOffset: byteOffset + bytes,
    ...(byteLength === undefined ? {} : { byteLength: byteLength - bytes }),
  };
}
