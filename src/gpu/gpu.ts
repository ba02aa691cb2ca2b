import { openDevice, type OpenedDevice } from "./adapter.ts";
import { DeviceLostError, GpuError, GpuMemoryError } from "./errors.ts";
import type { GpuFeature, GpuOptions } from "./options.ts";
import { PipelineCache } from "./pipelines.ts";
import { BufferPool } from "./pool.ts";
import { provenSubgroupSize } from "./subgroup_probe.ts";
import { Stream } from "./stream.ts";
import { checkRows, type Dtype, dtypeBytes, elementCount, formatShape, type PooledBuffer, Tensor } from "./tensor.ts";
import { deviceTraits } from "./trait_probe.ts";
import {
  BROADCAST_LANES,
  chooseSharing,
  type DeviceTraits,
  type ForcedVariant,
  possibleVariants,
  type SharingChoice,
} from "./traits.ts";
import type { GpuMemory, GpuStats } from "./usage.ts";

/**
 * A WebGPU device with its memory, its one stream and what it was proved to be able to do.
 *
 * ```ts
 * import { Gpu } from "ace-webgpu";
 *
 * using gpu = await Gpu.open();
 * using x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
 * const [values] = await gpu.stream.read(x);
 * console.assert(values[2] === 3);
 * ```
 */
export class Gpu implements Disposable {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Name of the adapter as its driver gives it. */
  readonly adapterName: string;
  /** Whether the adapter is a CPU driver. */
  readonly isCpu: boolean;
  /** Abilities found by trying. */
  readonly features: ReadonlySet<GpuFeature>;
  /** Lanes of a subgroup, where subgroup kernels were proved to work; null: they must not be used. */
  readonly subgroupSize: number | null;
  /** Bytes that one binding holds; a larger matrix is read by ranges of rows. */
  readonly bindingBytes: number;
  /** What was measured of the device. */
  readonly traits: DeviceTraits;
  /** Variants of kernels that were asked for, if any. */
  readonly variant: ForcedVariant | null;
  /** How the kernels that run share operands, and why. */
  readonly sharing: SharingChoice;
  /** Compiled kernels. */
  readonly pipelines: PipelineCache;
  /** The one stream of the device. */
  readonly stream: Stream;
  readonly #pool: BufferPool;
  readonly #owners = new Map<string, number>();
  readonly #maxBytes: number;
  #error: GpuError | null = null;
  #lost = false;
  #closed = false;

  private constructor(
    opened: OpenedDevice,
    subgroupSize: number | null,
    traits: DeviceTraits,
    options: GpuOptions,
  ) {
    this.device = opened.device;
    this.adapterName = opened.name;
    this.isCpu = opened.isCpu;
    this.features = opened.features;
    this.subgroupSize = subgroupSize;
    this.traits = traits;
    this.variant = options.variant ?? null;
    this.sharing = chooseSharing(traits, subgroupSize, this.variant);
    const { maxStorageBufferBindingSize } = this.device.limits;
    this.bindingBytes = Math.min(options.maxBindingBytes ?? Infinity, maxStorageBufferBindingSize);
    this.#maxBytes = options.maxBytes ??
      (opened.isCpu ? Math.floor(Deno.systemMemoryInfo().available * 0.7) : Number.MAX_SAFE_INTEGER);
    this.#pool = new BufferPool(this.device);
    this.pipelines = new PipelineCache(this.device, (error) => this.#fail(error));
    this.stream = new Stream(this);
    this.#pool.onDestroy = (id) => this.stream.forget(id);
    this.device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail(new GpuError(`The GPU reported: ${(event as GPUUncapturedErrorEvent).error.message}`));
    });
    this.device.lost.then((info) => {
      if (this.#closed) return;
      this.#lost = true;
      this.#fail(
        new DeviceLostError(
          `The GPU device was lost (${info.reason}): ${info.message}. Restart the process or the notebook kernel`,
        ),
      );
    });
  }

  /**
   * Opens the most powerful adapter with the limits it offers, proves what it can do, and measures what suits it.
   *
   * @throws {NoAdapterError} If there is none; the message says what to install.
   * @throws {GpuError} If it binds fewer buffers than a kernel has.
   * @throws {TypeError} If the variant asked for cannot run on it.
   */
  static async open(options: GpuOptions = {}): Promise<Gpu> {
    const opened = await openDevice(options.without ?? []);
    const size = opened.features.has("subgroups") ? await provenSubgroupSize(opened) : null;
    const possible = possibleVariants(size);
    if (options.variant !== undefined && !possible.includes(options.variant)) {
      opened.device.destroy();
      throw new TypeError(
        `Cannot run variant "${options.variant}" on ${opened.name}: it needs subgroups of ${BROADCAST_LANES} lanes, ` +
          `got ${size ?? "none proved"}. Use ${possible.join(", ")}`,
      );
    }
    const traits = options.traits ?? await deviceTraits(opened, size);
    return new Gpu(opened, size, traits, options);
  }

  /** Limits of the device. */
  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** Bytes that tensors may still take. */
  get availableBytes(): number {
    return this.#maxBytes - this.#pool.liveBytes;
  }

  /** Whether the device was lost. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Makes an uninitialised tensor; its first use must write all of it. */
  tensor(shape: readonly number[], label: string, dtype: Dtype = "f32"): Tensor {
    return this.#make(shape, dtype, label, true);
  }

  /** Makes a tensor of zeros. */
  zeros(shape: readonly number[], label: string, dtype: Dtype = "f32"): Tensor {
    const tensor = this.#make(shape, dtype, label, true);
    this.stream.clear(tensor);
    return tensor;
  }

  /**
   * Makes a tensor with these contents. Half types take their stored bytes (two elements a word), packed types the result
   * of `toDeviceBlocks`.
   *
   * @throws {RangeError} If the number of elements does not fit the shape, or rows of a packed dtype are no whole blocks.
   */
  upload(
    data: Float32Array | Uint32Array | Uint8Array,
    shape: readonly number[],
    label: string,
    dtype: Dtype = data instanceof Uint32Array ? "u32" : "f32",
  ): Tensor {
    const bytes = dtypeBytes(dtype, elementCount(shape));
    if (data.byteLength !== bytes) {
      throw new RangeError(
        `Cannot upload "${label}": shape ${formatShape(shape)} ${dtype} takes ${bytes} bytes, got ${data.byteLength}`,
      );
    }
    const tensor = this.#make(shape, dtype, label, false);
    this.write(tensor, data);
    return tensor;
  }

  /**
   * Overwrites the bytes of `tensor` from `byteOffset` on, after all that was recorded on it: the queue would let a write
   * overtake recorded work, so that is submitted first where it uses this buffer.
   *
   * @throws {RangeError} If the range lies outside the tensor or does not start at a 32-bit word.
   */
  write(tensor: Tensor, data: Float32Array | Uint32Array | Uint8Array, byteOffset: number = 0): void {
    this.assertUsable();
    if (!(byteOffset >= 0) || byteOffset % 4 !== 0 || byteOffset + data.byteLength > tensor.byteLength) {
      throw new RangeError(
        `Cannot write ${data.byteLength} bytes at ${byteOffset} of "${tensor.label}" ${formatShape(tensor.shape)} ` +
          `${tensor.dtype}: it has ${tensor.byteLength} bytes, and writes start at multiples of 4`,
      );
    }
    let bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    if (bytes.length % 4 !== 0) {
      const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
      padded.set(bytes);
      bytes = padded;
    }
    if (this.stream.awaits(tensor.storage)) this.stream.submit();
    const slice = 64 * 1024 * 1024;
    for (let at = 0; at < bytes.length; at += slice) {
      const part = bytes.subarray(at, Math.min(bytes.length, at + slice));
      this.device.queue.writeBuffer(tensor.storage.buffer, byteOffset + at, part);
    }
  }

  /** Bytes in use, pooled and at the peak, with their owners. */
  memory(): GpuMemory {
    const owners = Object.fromEntries([...this.#owners].filter(([, b]) => b > 0).sort((a, b) => b[1] - a[1]));
    return { live: this.#pool.liveBytes, pooled: this.#pool.pooledBytes, peak: this.#pool.peakBytes, owners };
  }

  /** Counters since the device was opened. */
  stats(): GpuStats {
    return { ...this.stream.counts, pipelines: this.pipelines.size };
  }

  /** Disposes every tensor made by `make` calls inside `body` through `scope.use`, also when it throws. */
  async scope<T>(body: (stack: DisposableStack) => Promise<T> | T): Promise<T> {
    using stack = new DisposableStack();
    return await body(stack);
  }

  /** Takes a buffer back from a tensor. */
  release(buffer: PooledBuffer, label: string): void {
    this.#owners.set(label, (this.#owners.get(label) ?? 0) - buffer.size);
    if (this.#owners.get(label) === 0) this.#owners.delete(label);
    if (!this.#closed) this.#pool.give(buffer);
  }

  /** Called by the stream after a submit. */
  submitted(): void {
    this.#pool.submitted();
  }

  /** Destroys the buffers kept for reuse. */
  trim(): void {
    this.stream.submit();
    this.#pool.trim(0);
  }

  /** Passes if the device works. @throws {GpuError} If it failed, was lost or is closed. */
  assertUsable(): void {
    if (this.#error) throw this.#error;
    if (this.#closed) throw new GpuError("Cannot use the GPU: it was closed");
  }

  /** Destroys the device; open tensors become unusable. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.stream.close();
    this.#pool.submitted();
    this.#pool.trim(0);
    this.#closed = true;
    this.device.destroy();
  }

  /** Destroys the device; the same as leaving a `using` scope. */
  close(): void {
    this[Symbol.dispose]();
  }

  #make(shape: readonly number[], dtype: Dtype, label: string, ordered: boolean): Tensor {
    this.assertUsable();
    const bytes = dtypeBytes(dtype, elementCount(shape));
    checkRows(label, shape, dtype);
    const limit = Math.floor(this.limits.maxBufferSize / 256) * 256;
    if (bytes > limit) {
      throw new GpuMemoryError(
        `Cannot make tensor "${label}" ${formatShape(shape)} ${dtype}: it takes ${bytes} bytes and one buffer of ` +
          `${this.adapterName} holds ${limit}`,
        { label },
      );
    }
    if (this.#pool.liveBytes + bytes > this.#maxBytes) {
      throw new GpuMemoryError(
        `Cannot make tensor "${label}" ${formatShape(shape)} ${dtype}: ${this.#pool.liveBytes} bytes are in use, ` +
          `${bytes} more would pass the limit of ${this.#maxBytes}. Dispose tensors or use a smaller model or batch`,
        { label },
      );
    }
    const storage = this.#pool.take(bytes, ordered);
    this.#owners.set(label, (this.#owners.get(label) ?? 0) + storage.size);
    return new Tensor(this, storage, shape, dtype, label);
  }

  #fail(error: GpuError): void {
    this.#error ??= error;
  }
}
