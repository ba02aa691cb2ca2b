import type { Gpu } from "./gpu.ts";

/** Element type of a {@linkcode Tensor}. Half types are stored packed, two elements a 32-bit word. */
export type Dtype = "f32" | "f16" | "bf16" | "u32";

/** Bytes of one element. */
export const DTYPE_BYTES: Record<Dtype, number> = { f32: 4, f16: 2, bf16: 2, u32: 4 };

/** A pooled GPU buffer with an id of our own, since WebGPU objects have no identity to hash. */
export interface PooledBuffer {
  /** Never used twice in a process. */
  readonly id: number;
  /** Bytes reserved, a multiple of 256. */
  readonly size: number;
  /** The buffer itself. */
  readonly buffer: GPUBuffer;
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
    return this.length * DTYPE_BYTES[this.dtype];
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
   * @throws {RangeError} If the element counts differ.
   */
  view(shape: readonly number[]): Tensor {
    if (elementCount(shape) !== this.length) {
      throw new RangeError(
        `Cannot view "${this.label}" ${formatShape(this.shape)} as ${formatShape(shape)}: element counts must match, ` +
          `got ${this.length} and ${elementCount(shape)}`,
      );
    }
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
