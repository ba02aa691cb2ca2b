import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { type RowSizes, rowSizes } from "./rows.ts";

/** Options of the reductions, which return more or other than one tensor of the input's shape. */
export interface ReductionOptions {
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/** Elements of a row that one workgroup of an elementwise kernel over wide rows handles. */
export const SLICE = 4096;

/**
 * Rows and width of an f32 tensor whose rows have at least one element, so that they have a maximum.
 *
 * @throws {RangeError} If it has no dimension or the last one is 0.
 * @throws {TypeError} If it is not f32.
 */
export function filledRows(action: string, name: string, tensor: Tensor): RowSizes {
  const sizes = rowSizes(action, name, tensor);
  if (sizes.width === 0) {
    throw new RangeError(
      `Cannot ${action}: rows of ${name} must have at least one element, got ${formatShape(tensor.shape)}`,
    );
  }
  return sizes;
}
