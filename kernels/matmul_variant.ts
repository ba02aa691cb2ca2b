import type { Gpu } from "../src/gpu/gpu.ts";
import type { MatmulLayout, MatmulVariant } from "./matmul_problem.ts";

/** Lanes of the subgroup for which `matmul_subgroup` is written: WGSL wants the lane of a broadcast as a literal. */
const BROADCAST_LANES = 8;

/**
 * Rows up to which `matvec` wins over the blocked kernels: on a CPU driver 4.8 against 12.6 ms with 5 rows of f32, while
 * from 8 rows on the subgroup variant takes 2 to 3 ms; a GPU hides the loads and needs the larger grid.
 */
const MATVEC_ROWS = { cpu: 7, gpu: 8 };

/**
 * Rows from which the subgroup variant is used. Mesa's CPU driver puts parameters into a shader as constants where that
 * halves it, and then compiles (and never frees) a shader for every launch; with fewer of its 16 rows in use this one is
 * halved: 6 ms and 0.9 MB a launch.
 */
const SUBGROUP_ROWS = 8;

/** A variant and why it is used. */
export interface VariantChoice {
  /** The variant. */
  variant: MatmulVariant;
  /** One sentence for people. */
  reason: string;
}

/**
 * The variant that a product of this size uses on this device, with the reason.
 *
 * A device that was opened with a variant uses that one.
 *
 * @param layout Which operands lie transposed; `matvec` exists for `nt` alone, where a lane reads along a weight's row.
 * @throws {TypeError} If the device was opened with a variant that it cannot run.
 */
export function explainVariant(
  gpu: Gpu,
  rows: number,
  cols: number,
  inner: number,
  layout: MatmulLayout = "nt",
): VariantChoice {
  const size = `${rows} x ${inner} x ${cols} ${layout}`;
  if (gpu.matmulVariant !== null) {
    checkVariant(gpu, gpu.matmulVariant, { rows, layout });
    return { variant: gpu.matmulVariant, reason: `${size}: asked for` };
  }
  const few = gpu.isCpu ? MATVEC_ROWS.cpu : MATVEC_ROWS.gpu;
  if (layout === "nt" && rows <= few && gpu.subgroupSize !== null) {
    return { variant: "matvec", reason: `${size}: at most ${few} rows, so reading the weights once is what counts` };
  }
  if (!gpu.isCpu) {
    return { variant: "tile", reason: `${size}: a GPU shares operands best through workgroup memory` };
  }
  if (gpu.subgroupSize === BROADCAST_LANES && rows < SUBGROUP_ROWS) {
    return {
      variant: "register",
      reason: `${size}: fewer than ${SUBGROUP_ROWS} rows leave a subgroup's 16 half empty`,
    };
  }
  if (gpu.subgroupSize === BROADCAST_LANES) {
    return {
      variant: "subgroup",
      reason: `${size}: a CPU driver with ${BROADCAST_LANES} lanes, where a broadcast costs less than a load`,
    };
  }
  const lanes = gpu.subgroupSize === null ? "no proved subgroups" : `${gpu.subgroupSize} lanes`;
  return { variant: "register", reason: `${size}: a CPU driver with ${lanes}, where barriers are expensive` };
}

/** The variant that a product of this size uses on this device; {@linkcode explainVariant} tells why. */
export function chooseVariant(
  gpu: Gpu,
  rows: number,
  cols: number,
  inner: number,
  layout: MatmulLayout = "nt",
): MatmulVariant {
  return explainVariant(gpu, rows, cols, inner, layout).variant;
}

/**
 * Checks that a variant asked for by name can run.
 *
 * @throws {TypeError} If the device or the layout does not allow it.
 */
export function checkVariant(
  gpu: Gpu,
  variant: MatmulVariant,
  product: { rows: number; layout: MatmulLayout },
): void {
  const lanes = gpu.subgroupSize ?? "none proved";
  if (variant === "subgroup" && gpu.subgroupSize !== BROADCAST_LANES) {
    throw new TypeError(
      `Cannot multiply with variant "subgroup": it needs subgroups of ${BROADCAST_LANES} lanes, got ${lanes}. ` +
        `Use "register" or "tile"`,
    );
  }
  if (variant !== "matvec") return;
  if (gpu.subgroupSize === null) {
    throw new TypeError(`Cannot multiply with variant "matvec": it needs subgroups, got ${lanes}`);
  }
  if (product.layout !== "nt" || product.rows > MATVEC_ROWS.gpu) {
    throw new TypeError(
      `Cannot multiply with variant "matvec": it takes layout nt and at most ${MATVEC_ROWS.gpu} rows, ` +
        `got ${product.layout} and ${product.rows} rows`,
    );
  }
}
