import { dtypeBytes, formatShape, type Tensor } from "./tensor.ts";

/** Part of a tensor's buffer, for a kernel that reads or writes only some of its rows. */
export interface TensorRange {
  /** The tensor. */
  readonly tensor: Tensor;
  /** First byte, a multiple of 256: what WebGPU wants of any device. */
  readonly byteOffset: number;
  /** Bytes. Default: up to the end of the buffer. */
  readonly byteLength?: number;
}

/** What a dispatch binds. */
export type Binding = Tensor | TensorRange;

/** The part of a binding's buffer that a bind group names. */
export interface BoundRange {
  /** First byte. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** The tensor of a binding. */
export function tensorOf(binding: Binding): Tensor {
  return "tensor" in binding ? binding.tensor : binding;
}

/**
 * The bytes that a binding takes: all of a buffer that one binding can hold, else those of the elements.
 *
 * @param limit Bytes that one binding holds.
 * @throws {RangeError} If they are more than that.
 */
export function boundRange(binding: Binding, limit: number): BoundRange {
  const { tensor, byteOffset: offset, byteLength } = "tensor" in binding
    ? { byteLength: undefined, ...binding }
    : { tensor: binding, byteOffset: 0, byteLength: undefined };
  const rest = tensor.storage.size - offset;
  // Octets of words are read whole, so an odd end is rounded up; buffers are multiples of 256 bytes.
  const whole = (bytes: number): number => Math.min(rest, Math.ceil(bytes / 32) * 32);
  const size = byteLength !== undefined
    ? whole(byteLength)
    : rest <= limit
    ? rest
    : whole(dtypeBytes(tensor.dtype, tensor.length) - offset);
  if (size > limit) {
    throw new RangeError(
      `Cannot bind "${tensor.label}" ${formatShape(tensor.shape)} ${tensor.dtype}: it takes ${size} bytes and one ` +
        `binding of ${tensor.gpu.adapterName} holds ${limit}. Use fewer rows at a time`,
    );
  }
  return { offset, size };
}

/** Some rows of a matrix. */
export interface RowRange {
  /** First row. */
  readonly first: number;
  /** Number of rows. */
  readonly rows: number;
  /** Their bytes. */
  readonly binding: Binding;
}

/**
 * Rows that ranges are multiples of. With it a range starts at a multiple of 256 bytes in a matrix of any width and dtype,
 * and so does the same number of elements of a vector.
 */
const ROW_UNIT = 128;

/**
 * The rows of a matrix in ranges that one binding holds each; mostly one range, the whole matrix.
 *
 * @throws {RangeError} If not even 128 rows fit.
 */
export function rowRanges(matrix: Tensor): RowRange[] {
  const [rows, cols] = matrix.shape as [number, number];
  const limit = matrix.gpu.bindingBytes;
  if (matrix.byteLength <= limit) return [{ first: 0, rows, binding: matrix }];
  const unitBytes = dtypeBytes(matrix.dtype, ROW_UNIT * cols);
  if (unitBytes > limit) {
    throw new RangeError(
      `Cannot bind rows of "${matrix.label}" ${formatShape(matrix.shape)} ${matrix.dtype}: ${ROW_UNIT} rows take ` +
        `${unitBytes} bytes and one binding of ${matrix.gpu.adapterName} holds ${limit}. Use fewer rows at a time or a smaller model`,
    );
  }
  const most = Math.floor(limit / unitBytes) * ROW_UNIT;
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => {
    const first = i * most;
    const count = Math.min(most, rows - first);
    const byteOffset = dtypeBytes(matrix.dtype, first * cols);
    const byteLength = dtypeBytes(matrix.dtype, count * cols);
    return { first, rows: count, binding: { tensor: matrix, byteOffset, byteLength } };
  });
}
