import type { Constants } from "../src/gpu/kernel.ts";
import type { Binding } from "../src/gpu/binding.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { checkMatrix, type MatrixType, type OutputOptions, type WeightType } from "./rows.ts";

/** Which operands lie transposed in memory: `nt` is a bᵀ, `nn` is a b, `tn` is aᵀ b. */
export type MatmulLayout = "nt" | "nn" | "tn";

/**
 * Ways to multiply: `subgroup` shares operands by broadcast between 8 lanes, `register` keeps 4 x 4 outputs a thread,
 * `tile` stages operands in workgroup memory, `matvec` is for few rows, `naive` makes one output a thread.
 */
export type MatmulVariant = "subgroup" | "register" | "tile" | "matvec" | "naive";

/** Operands of a product with a weight, which may be stored in half precision or packed. */
export interface WeightProductInput {
  /** Left operand f32; its last dimension is a row, the others are flattened. */
  a: Tensor;
  /** Right operand f32, f16, bf16 or packed, two dimensions. */
  b: Tensor;
  /** Added to each row, [cols] f32, f16 or bf16. */
  bias?: Tensor | undefined;
}

/** Options of the matrix products. */
export interface MatmulOptions extends OutputOptions {
  /** Adds to `out` instead of overwriting it. Default: false. */
  accumulate?: boolean | undefined;
  /** Forces a variant; for tests and measurements. Default: the one that `chooseVariant` gives. */
  variant?: MatmulVariant | undefined;
}

/** One product, checked: y [rows, cols] = scale * a b + bias, or added to y. */
export interface MatmulProblem {
  /** Which operands lie transposed. */
  layout: MatmulLayout;
  /** Rows of y. */
  rows: number;
  /** Columns of y. */
  cols: number;
  /** Terms of each inner product. */
  inner: number;
  /** First of the terms that are added, a multiple of 256. */
  first: number;
  /** End of the terms that are added: `inner`, or a multiple of 256. */
  end: number;
  /** Left operand. */
  a: Binding;
  /** Elements from one line of `a` in memory to the next. */
  aStride: number;
  /** Right operand. */
  b: Binding;
  /** How `b` is stored. */
  bType: MatrixType;
  /** Added to each row. */
  bias: Binding | undefined;
  /** How `bias` is stored. */
  biasType: WeightType | typeof NO_BIAS;
  /** Receives y. */
  out: Binding;
  /** Elements from one row of `out` to the next. */
  yStride: number;
  /** Whether y is added to what `out` holds. */
  accumulate: boolean;
  /** Factor of the product. */
  scale: number;
  /** Whether only the lower half is computed, and mirrored. */
  symmetric: boolean;
}

/**
 * Parameters that every matmul kernel takes, in order.
 *
 * `rowBlocks` could be had from `rows`, but Mesa's CPU driver puts a parameter that decides a branch by itself into the
 * shader as a constant: it did so with `rows` (a remainder tests its divisor), dropped what fewer than 8 rows leave out,
 * and compiled, and never freed, a shader at every launch. With the count as a parameter of its own, `rows` stays one.
 */
export const MATMUL_PARAMS = {
  rows: "u32",
  rowBlocks: "u32",
  cols: "u32",
  inner: "u32",
  first: "u32",
  end: "u32",
  aStride: "u32",
  yStride: "u32",
  scale: "f32",
} as const;

/** `biasType` of a product without bias; below it stand the weight types. */
export const NO_BIAS = 3;

/** Values of {@linkcode MATMUL_PARAMS} for a problem, with the rows that a workgroup makes. */
export function matmulParams(
  problem: MatmulProblem,
  rowsAGroup: number,
): Record<keyof typeof MATMUL_PARAMS, number> {
  const { rows, cols, inner, first, end, aStride, yStride, scale } = problem;
  return { rows, rowBlocks: Math.ceil(rows / rowsAGroup), cols, inner, first, end, aStride, yStride, scale };
}

/** Constants of type and epilogue, which every matmul kernel takes. */
export function epilogueConstants(problem: MatmulProblem): Constants {
  return { B_TYPE: problem.bType, BIAS_TYPE: problem.biasType, ACCUMULATE: Number(problem.accumulate) };
}

/** Constants that describe the layout, which every kernel but matvec takes. */
export function layoutConstants(problem: MatmulProblem): Constants {
  return {
    A_TRANSPOSED: Number(problem.layout === "tn"),
    B_TRANSPOSED: Number(problem.layout === "nt"),
    SYMMETRIC: Number(problem.symmetric),
  };
}

/** Constants that tell whether rows in memory are multiples of four elements, so that four are loaded at once. */
export function alignmentConstants(problem: MatmulProblem): Constants {
  const { layout, aStride, cols, inner } = problem;
  const bWidth = layout === "nt" ? inner : cols;
  return { A_ALIGNED: Number(aStride % 4 === 0), B_ALIGNED: Number(bWidth % 4 === 0) };
}

/** Tensors for a kernel that loads single elements: a, b, bias, y. Without bias, `b` stands in and is not read. */
export function elementBindings(problem: MatmulProblem): Binding[] {
  const { a, b, bias, out } = problem;
  return [a, b, bias ?? b, out];
}

/** Tensors for a kernel that loads elements, pairs and fours: WGSL gives a binding one type, so each is bound once a type. */
export function quadBindings(problem: MatmulProblem): Binding[] {
  const { a, b, bias, out } = problem;
  return [a, a, b, b, b, bias ?? b, out];
}

/**
 * Checks that `b` is a matrix whose inner dimension is that of `a`.
 *
 * @param at Which dimension of `b` is the inner one.
 * @returns The number that tells the shader how `b` is stored.
 * @throws {RangeError} If it is no matrix or the inner dimensions differ.
 * @throws {TypeError} If it is no weight type.
 */
export function checkInner(a: Tensor, inner: number, b: Tensor, at: 0 | 1): MatrixType {
  const type = checkMatrix("multiply", "b", b, at === 0 ? "inner, cols" : "cols, inner");
  if (b.shape[at] !== inner) {
    throw new RangeError(
      `Cannot multiply a ${formatShape(a.shape)} by b ${formatShape(b.shape)}: inner dimensions must match, ` +
        `got ${inner} and ${b.shape[at]}`,
    );
  }
  return type;
}
