import type { Gpu } from "../src/gpu/gpu.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { type Dtype, elementCount, formatShape, type Tensor } from "../src/gpu/tensor.ts";
import { threadsWithin } from "./rounds.ts";

/** Options that every kernel with one output takes. */
export interface OutputOptions {
  /** Tensor to write instead of a new one; it has the output's element count, is f32 and no operand. */
  out?: Tensor | undefined;
  /** Label of the new tensor. Default: the operation. */
  label?: string | undefined;
  /** Workgroups that fit one grid dimension; smaller in tests, to reach the second dimension cheaply. */
  groupLimit?: number | undefined;
}

/** A tensor seen as rows: the last dimension is the width, all others are flattened. */
export interface RowSizes {
  /** Product of the leading dimensions. */
  rows: number;
  /** Size of the last dimension. */
  width: number;
}

/** Number that stands for the element type of a vector of weights in shaders: 0 f32, 1 f16, 2 bf16. */
export type WeightType = 0 | 1 | 2;

const WEIGHT_TYPES: Partial<Record<Dtype, WeightType>> = { f32: 0, f16: 1, bf16: 2 };

/** Number that stands for the element type of a matrix of weights in shaders: as for vectors, or packed from 3 on. */
export type MatrixType = WeightType | 3 | 4 | 5 | 6 | 7;

const MATRIX_TYPES: Partial<Record<Dtype, MatrixType>> = {
  ...WEIGHT_TYPES,
  q4_0: 3,
  q4_1: 4,
  q8_0: 5,
  q4_k: 6,
  q6_k: 7,
};

/**
 * Checks the element type of an operand.
 *
 * @param action What the caller is about to do, as in `Cannot <action>`.
 * @throws {TypeError} If the dtype differs.
 */
export function checkDtype(action: string, name: string, tensor: Tensor, dtype: Dtype): void {
  if (tensor.dtype !== dtype) {
    throw new TypeError(`Cannot ${action}: ${name} must be ${dtype}, got "${tensor.label}" of ${tensor.dtype}`);
  }
}

/**
 * Checks shape and element type of an operand.
 *
 * @throws {RangeError} If the shape differs.
 * @throws {TypeError} If the dtype differs.
 */
export function checkShape(
  action: string,
  name: string,
  tensor: Tensor,
  shape: readonly number[],
  dtype: Dtype = "f32",
): void {
  checkDtype(action, name, tensor, dtype);
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
    throw new RangeError(
      `Cannot ${action}: ${name} must have shape ${formatShape(shape)}, got ${formatShape(tensor.shape)}`,
    );
  }
}

/**
 * Checks that an operand holds as many elements as wanted, whatever its shape.
 *
 * @throws {RangeError} If the element count differs.
 * @throws {TypeError} If the dtype differs.
 */
export function checkLength(action: string, name: string, tensor: Tensor, length: number, dtype: Dtype = "f32"): void {
  checkDtype(action, name, tensor, dtype);
  if (tensor.length !== length) {
    throw new RangeError(
      `Cannot ${action}: ${name} must have ${length} elements, got ${tensor.length} in ${formatShape(tensor.shape)}`,
    );
  }
}

/**
 * Checks a vector of weights, which may be stored as f32, f16 or bf16.
 *
 * @returns The number that tells the shader how it is stored.
 * @throws {RangeError} If the shape differs.
 * @throws {TypeError} If it is no weight type.
 */
export function checkWeight(action: string, name: string, tensor: Tensor, shape: readonly number[]): WeightType {
  const type = WEIGHT_TYPES[tensor.dtype];
  if (type === undefined) {
    throw new TypeError(
      `Cannot ${action}: ${name} must be f32, f16 or bf16, got "${tensor.label}" of ${tensor.dtype}`,
    );
  }
  checkShape(action, name, tensor, shape, tensor.dtype);
  return type;
}

/**
 * Checks a matrix of weights, which may be stored as f32, f16, bf16 or packed.
 *
 * @returns The number that tells the shader how it is stored.
 * @throws {RangeError} If it is no matrix.
 * @throws {TypeError} If it is no weight type.
 */
export function checkMatrix(action: string, name: string, tensor: Tensor, dimensions: string): MatrixType {
  if (tensor.shape.length !== 2) {
    throw new RangeError(`Cannot ${action}: ${name} must be [${dimensions}], got ${formatShape(tensor.shape)}`);
  }
  const type = MATRIX_TYPES[tensor.dtype];
  if (type === undefined) {
    throw new TypeError(
      `Cannot ${action}: ${name} must be one of ${Object.keys(MATRIX_TYPES).join(", ")}, got "${tensor.label}" of ` +
        `${tensor.dtype}`,
    );
  }
  return type;
}

/**
 * Rows and width of an f32 tensor with its leading dimensions flattened.
 *
 * @throws {RangeError} If it has no dimension.
 * @throws {TypeError} If it is not f32.
 */
export function rowSizes(action: string, name: string, tensor: Tensor): RowSizes {
  checkDtype(action, name, tensor, "f32");
  const width = tensor.shape.at(-1);
  if (width === undefined) {
    throw new RangeError(
      `Cannot ${action}: ${name} must have at least one dimension, got ${formatShape(tensor.shape)}`,
    );
  }
  return { rows: elementCount(tensor.shape.slice(0, -1)), width };
}

/**
 * The tensor that a kernel writes: `options.out` if given, else a new one.
 *
 * @param operands Tensors the kernel reads; WebGPU forbids binding one buffer for reading and for writing.
 * @throws {RangeError} If `out` has another element count.
 * @throws {TypeError} If `out` is not f32 or shares its buffer with an operand.
 */
export function outputTensor(
  stream: Stream,
  action: string,
  shape: readonly number[],
  operands: readonly Tensor[],
  options: OutputOptions,
): Tensor {
  const { out } = options;
  if (!out) return stream.gpu.tensor(shape, options.label ?? action);
  checkLength(action, "out", out, elementCount(shape));
  checkDistinct(action, "out", out, operands);
  return out;
}

/**
 * Checks that a written tensor shares its buffer with no operand that is read.
 *
 * @throws {TypeError} If it does.
 */
export function checkDistinct(action: string, name: string, written: Tensor, operands: readonly Tensor[]): void {
  const same = operands.find((operand) => operand.storage.id === written.storage.id);
  if (same) {
    throw new TypeError(
      `Cannot ${action}: ${name} shares its buffer with operand "${same.label}". Write to another tensor`,
    );
  }
}

/** Times that a row kernel goes through its row at most. */
const PASSES = 3;

/** Rounds of its reductions at most. */
const REDUCTIONS = 100;

/**
 * Threads that share a row: a wave or more where threads run side by side; else as few as a vector has lanes, since one
 * vector runs after the other and every barrier is paid for, and more where so few would loop too long.
 */
export function rowThreads(gpu: Gpu, width: number): number {
  if (gpu.sharing.way === "memory") return width < 2048 ? 64 : 256;
  return threadsWithin(8, (threads) => PASSES * Math.ceil(width / threads) + REDUCTIONS);
}

/** Rows that a subgroup computes together in the subgroup variants of the row kernels. */
export const ROWS_A_SUBGROUP = 4;

/**
 * Whether the subgroup variants of the row kernels run: where broadcasting pays, for rows that can be loaded eight columns
 * at a time, and enough of them. There each load costs: a weight that four rows share is loaded once, and sums over the
 * lanes need no barrier.
 */
export function suitsRowSubgroups(gpu: Gpu, { rows, width }: RowSizes): boolean {
  return gpu.sharing.way === "broadcast" && width % 8 === 0 && rows >= ROWS_A_SUBGROUP;
}

/** Values of a row that 8 lanes keep as four octets each. */
export const KEPT_QUARTER = 256;

/**
 * Whether rows stay in the registers of a subgroup: where {@linkcode suitsRowSubgroups} holds, for rows of one to four
 * times {@linkcode KEPT_QUARTER} values. Longer ones would need more code than the cache of a core holds.
 */
export function keepsRows(gpu: Gpu, sizes: RowSizes): boolean {
  return suitsRowSubgroups(gpu, sizes) && sizes.width % KEPT_QUARTER === 0 && sizes.width <= 4 * KEPT_QUARTER;
}

/**
 * Rows and width of an f32 tensor whose width is given by another operand.
 *
 * @throws {RangeError} If the width differs.
 * @throws {TypeError} If it is not f32.
 */
export function checkWidth(action: string, name: string, tensor: Tensor, width: number): RowSizes {
  const sizes = rowSizes(action, name, tensor);
  if (sizes.width !== width) {
    throw new RangeError(`Cannot ${action}: ${name} must be ${width} wide, got ${formatShape(tensor.shape)}`);
  }
  return sizes;
}
