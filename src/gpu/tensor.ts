import type { Gpu } from "./gpu.ts";

/** Element types of weights in blocks that share a scale, as `src/checkpoint/device_blocks.ts` lays them out. */
export type PackedDtype = "q4_0" | "q4_1" | "q8_0" | "q4_k" | "q6_k";

/** Element types with a size of their own. Half types are stored packed, two elements a 32-bit word. */
export type PlainDtype = "f32" | "f16" | "bf16" | "u32";

/** Element type of a {@linkcode Tensor}. */
export type Dtype = PlainDtype | PackedDtype;

/** Bytes of one element. */
const DTYPE_BYTES: Readonly<Record<PlainDtype, number>> = { f32: 4, f16: 2, bf16: 2, u32: 4 };

/** Values that a row of a packed dtype is a multiple of, and bytes of a group of 256 values. */
const PACKED: Readonly<Record<PackedDtype, { readonly rowUnit: number; readonly groupBytes: number }>> = {
  q4_0: { rowUnit: 32, groupBytes: 144 },
  q4_1: { rowUnit: 32, groupBytes: 160 },
  q8_0: { rowUnit: 32, groupBytes: 272 },
  q4_k: { rowUnit: 256, groupBytes: 144 },
  q6_k: { rowUnit: 256, groupBytes: 216 },
};

/** Whether elements of a dtype share scales in blocks. */
export function isPacked(dtype: Dtype): dtype is PackedDtype {
  return Object.hasOwn(PACKED, dtype);
}

/** Bytes that `length` elements of a dtype take. */
export function dtypeBytes(dtype: Dtype, length: number): number {
  return isPacked(dtype) ? Math.ceil(length / 256) * PACKED[dtype].groupBytes : length * DTYPE_BYTES[dtype];
}

/**
 * Checks that a dtype can have a shape: rows of packed dtypes are whole blocks.
 *
 * @throws {RangeError} If they are not.
 */
export function checkRows(label: string, shape: readonly number[], dtype: Dtype): void {
  if (!isPacked(dtype)) return;
  const { rowUnit } = PACKED[dtype];
  const width = shape.at(-1) ?? 1;
  if (width % rowUnit !== 0) {
    throw new RangeError(
      `Cannot make tensor "${label}" ${formatShape(shape)} ${dtype}: the last dimension must be a multiple of ` +
        `${rowUnit}, got ${width}. Widen the tensor to bf16`,
    );
  }
}

/** A pooled GPU buffer with an id of our own, since WebGPU objects have no identity to hash. */
export interface PooledBuffer {
  /** Never used twice in a process. */
  readonly id: number;
  /** Bytes reserved, a multiple of 256. */
  readonly size: number;
  /** The buffer itself. */
  readonly buffer: GPUBuffer;
  /** Last step of the stream that recorded work on it; 0 for none. */
  lastStep: number;
}

/**
 * A row-major array on the GPU: buffer + shape + dtype + label.
 *
 * Whoever creates a tensor disposes it, normally with `using`; functions that return tensors pass ownership on and
 * functions never dispose their arguments. Disposing gives the buffer back to the pool.
 */
export class Tensor implements Disposable {
  /** Sizes of the dimensions, outermost first. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: Dtype;
  /** Name shown in errors and in `gpu.memory()`. */
  readonly label: string;
  /** Number of elements. */
  readonly length: number;
  /** The device that holds it. */
  readonly gpu: Gpu;
  #storage: PooledBuffer | null;
  readonly #owned: boolean;

  /** Made by {@linkcode Gpu.tensor} and its siblings, not directly. */
  constructor(
    gpu: Gpu,
    storage: PooledBuffer,
    shape: readonly number[],
    dtype: Dtype,
    label: string,
    owned: boolean = true,
  ) {
    this.gpu = gpu;
    this.#storage = storage;
    this.#owned = owned;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.label = label;
    this.length = elementCount(shape);
  }

  /** Bytes of the elements (the buffer may be larger). */
  get byteLength(): number {
    return dtypeBytes(this.dtype, this.length);
  }

  /** Whether the buffer was given back. */
  get disposed(): boolean {
    return this.#storage === null;
  }

  /** The buffer underneath. @throws {TypeError} If the tensor was disposed. */
  get storage(): PooledBuffer {
    if (this.#storage === null) {
      throw new TypeError(
        `Cannot use tensor "${this.label}" after it was disposed: keep it in a longer \`using\` scope`,
      );
    }
    return this.#storage;
  }

  /**
   * The same elements under another shape; the view does not own the buffer and must not outlive this tensor.
   *
   * @throws {RangeError} If the element counts differ, or rows of a packed dtype would be no whole blocks.
   */
  view(shape: readonly number[]): Tensor {
    if (elementCount(shape) !== this.length) {
      throw new RangeError(
        `Cannot view "${this.label}" ${formatShape(this.shape)} as ${formatShape(shape)}: element counts must match, ` +
          `got ${this.length} and ${elementCount(shape)}`,
      );
    }
    checkRows(this.label, shape, this.dtype);
    return new Tensor(this.gpu, this.storage, shape, this.dtype, this.label, false);
  }

  /** Gives the buffer back to the pool; a view only forgets it. */
  [Symbol.dispose](): void {
    if (this.#storage !== null && this.#owned) this.gpu.release(this.#storage, this.label);
    this.#storage = null;
  }

  /** Gives the buffer back; the same as leaving a `using` scope. */
  dispose(): void {
    this[Symbol.dispose]();
  }
}

/** Product of the sizes. @throws {RangeError} If one is negative or no integer. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`Cannot make a tensor of shape ${formatShape(shape)}: sizes must be integers from 0 up`);
    }
    count *= size;
  }
  return count;
}

/** `[2, 3]` for messages. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
