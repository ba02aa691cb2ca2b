import type { Gpu } from "../src/gpu/gpu.ts";
import { BROADCAST_LANES } from "../src/gpu/traits.ts";
import type { MatmulLayout, MatmulVariant } from "./matmul_problem.ts";

/**
 * Rows up to which `matvec` wins over the blocked kernels. The subgroup variant takes the same time for 1 to 16 rows,
 * 2.2 ms against 1.2, 1.8 and 2.7 ms for 1, 2 and 3 rows of `matvec` (576 x 1536 of f32); threads side by side hide the
 * loads and need the larger grid.
 */
const MATVEC_ROWS = { broadcast: 2, none: 7, memory: 8 };

/** The blocked kernel that shares operands in each way. */
const VARIANTS = { broadcast: "subgroup", memory: "tile", none: "register" } as const;

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
 */
export function explainVariant(
  gpu: Gpu,
  rows: number,
  cols: number,
  inner: number,
  layout: MatmulLayout = "nt",
): VariantChoice {
  const size = `${rows} x ${inner} x ${cols} ${layout}`;
  const { way, reason } = gpu.sharing;
  if (gpu.variant !== null) return { variant: gpu.variant, reason: `${size}: ${reason}` };
  const few = MATVEC_ROWS[way];
  if (layout === "nt" && rows <= few && gpu.subgroupSize !== null) {
    return { variant: "matvec", reason: `${size}: at most ${few} rows, so reading the weights once is what counts` };
  }
  return { variant: VARIANTS[way], reason: `${size}: ${reason}` };
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
  if (product.layout !== "nt" || product.rows > MATVEC_ROWS.memory) {
    throw new TypeError(
      `Cannot multiply with variant "matvec": it takes layout nt and at most ${MATVEC_ROWS.memory} rows, ` +
        `got ${product.layout} and ${product.rows} rows`,
    );
  }
}
