/**
 * Products that the tests of all matmul variants run, compared with the twin within the bound of an inner product.
 *
 * @module
 */
import { matmulNn } from "../../kernels/matmul_nn.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import type { MatmulLayout, MatmulOptions, MatmulVariant } from "../../kernels/matmul_problem.ts";
import { matmulTn } from "../../kernels/matmul_tn.ts";
import { rankK } from "../../kernels/rank_k.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { matmul, type ProductSizes } from "../reference/matmul.ts";
import {
  assertWithin,
  dirtyPool,
  normals,
  PACKED_WIDTHS,
  TINY,
  UNIT,
  uploadWeight,
  type WeightDtype,
} from "./operands.ts";

/** How a case departs from a plain f32 product. */
export interface ProductOptions {
  /** How `b` is stored. Default: f32. */
  dtype?: WeightDtype;
  /** How a bias is stored. Default: no bias. */
  bias?: "f32" | "f16" | "bf16";
  /** Adds to an output that holds numbers already. Default: false. */
  accumulate?: boolean;
  /** Forced variant. Default: the chosen one. */
  variant?: MatmulVariant | undefined;
  /** Workgroups that fit one dimension. Default: what WebGPU guarantees. */
  groupLimit?: number;
}

/** Bounds by n u sum|terms| for the inner product, its scale, the bias and what was there, twice to be safe. */
function productBound(inner: number, magnitude: Float64Array): Float64Array {
  return magnitude.map((sum) => 2 * (inner + 3) * (UNIT * sum + TINY));
}

function product(
  gpu: Gpu,
  layout: MatmulLayout,
  a: Tensor,
  b: Tensor,
  bias: Tensor | undefined,
  options: MatmulOptions,
) {
  if (layout === "nt") return matmulNt(gpu.stream, { a, b, bias }, options);
  if (layout === "nn") return matmulNn(gpu.stream, { a, b, bias }, options);
  return matmulTn(gpu.stream, { a, b }, options);
}

/** Runs one product and compares every element with the twin. */
export async function checkProduct(
  gpu: Gpu,
  layout: MatmulLayout,
  [rows, inner, cols]: readonly [rows: number, inner: number, cols: number],
  options: ProductOptions = {},
): Promise<void> {
  dirtyPool(gpu);
  const sizes: ProductSizes = { layout, rows, cols, inner };
  const aData = normals("a", rows * inner);
  const weight = uploadWeight(
    gpu,
    normals("b", inner * cols),
    layout === "nt" ? [cols, inner] : [inner, cols],
    options.dtype ?? "f32",
  );
  const shift = options.bias ? uploadWeight(gpu, normals("bias", cols), [cols], options.bias) : null;
  const before = options.accumulate ? normals("before", rows * cols) : new Float32Array(rows * cols);
  using stack = new DisposableStack();
  const b = stack.use(weight.tensor);
  const bias = shift ? stack.use(shift.tensor) : undefined;
  const a = stack.use(gpu.upload(aData, layout === "tn" ? [inner, rows] : [rows, inner], "a"));
  const out = stack.use(gpu.upload(before, [rows, cols], "out"));
  const { variant, groupLimit, accumulate } = options;
  const [got] = await gpu.stream.read(product(gpu, layout, a, b, bias, { out, variant, groupLimit, accumulate }));
  const added = before.map((value, i) => value + (shift?.values[i % cols] ?? 0));
  const want = matmul(sizes, aData, weight.values).map((value, i) => value + added[i]!);
  const magnitude = matmul(sizes, aData.map(Math.abs), weight.values.map(Math.abs));
  const bound = productBound(
    inner,
    magnitude.map((sum, i) =>
      sum + Math.abs(before[i]!) + Math.abs(shift?.values[i % cols] ?? 0) + Math.abs(added[i]!)
    ),
  );
  assertWithin(got, want, bound, `${layout} ${rows} x ${inner} x ${cols} ${JSON.stringify(options)}`);
}

/** Runs one symmetric update, compares it with the twin, and checks that both halves are equal bit for bit. */
export async function checkRankK(
  gpu: Gpu,
  [n, inner]: readonly [n: number, inner: number],
  options: { scale?: number; variant?: MatmulVariant | undefined; groupLimit?: number } = {},
): Promise<void> {
  const scale = options.scale ?? 1;
  const data = normals("x", inner * n);
  const half = normals("into", n * n);
  const before = half.map((value, i) => half[i % n * n + Math.floor(i / n)]! + value);
  using x = gpu.upload(data, [inner, n], "x");
  using into = gpu.upload(before, [n, n], "into");
  rankK(gpu.stream, { x, into }, options);
  const [got] = await gpu.stream.read(into);
  const sizes: ProductSizes = { layout: "tn", rows: n, cols: n, inner };
  const want = matmul(sizes, data, data).map((value, i) => scale * value + before[i]!);
  const size = data.map(Math.abs);
  const magnitude = matmul(sizes, size, size).map((sum, i) => Math.abs(scale) * sum + Math.abs(before[i]!));
  assertWithin(got, want, productBound(inner, magnitude), `${n} from ${inner} ${JSON.stringify(options)}`);
  assertWithin(got, got.map((_, i) => got[i % n * n + Math.floor(i / n)]!), new Float32Array(n * n), "mirror image");
}

/**
 * The cases that every blocked variant must pass: one element, primes, one below, at and above the block's edge,
 * aligned and unaligned rows, every stored type, bias, accumulation, folded groups, and the symmetric update.
 *
 * @param edge Rows and columns of the variant's block.
 */
export async function checkVariantCases(
  gpu: Gpu,
  variant: MatmulVariant,
  edge: { rows: number; cols: number },
): Promise<void> {
  const { rows, cols } = edge;
  for (const layout of ["nt", "nn", "tn"] as const) {
    for (const size of [[1, 1, 1], [7, 13, 11], [rows - 1, 17, cols - 1], [rows + 1, 9, cols + 1]] as const) {
      await checkProduct(gpu, layout, size, { variant });
    }
    await checkProduct(gpu, layout, [rows, 32, cols], { variant });
    await checkProduct(gpu, layout, [2 * rows + 4, 20, cols + 4], { variant, groupLimit: 2 });
    await checkProduct(gpu, layout, [rows + 4, 8, cols + 8], { variant, accumulate: true });
  }
  for (const layout of ["nt", "nn"] as const) {
    for (const dtype of ["f16", "bf16"] as const) {
      await checkProduct(gpu, layout, [5, 20, cols + 4], { variant, dtype, bias: dtype });
      await checkProduct(gpu, layout, [5, 15, 7], { variant, dtype, bias: "f32", accumulate: true });
    }
  }
  for (const [dtype, width] of PACKED_WIDTHS) {
    await checkProduct(gpu, "nt", [rows + 1, 3 * width, cols + 3], { variant, dtype, bias: "f32" });
    await checkProduct(gpu, "nt", [5, width, 7], { variant, dtype, accumulate: true });
    await checkProduct(gpu, "nn", [rows + 1, 19, 3 * width], { variant, dtype });
  }
  for (const n of [1, 13, cols - 1, cols + 8]) await checkRankK(gpu, [n, 19], { variant, scale: -0.75 });
  await checkRankK(gpu, [2 * cols + 4, 8], { variant, groupLimit: 3 });
}
