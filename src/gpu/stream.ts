import { ParameterArena } from "./arena.ts";
import { BindGroups } from "./bind_groups.ts";
import { type Binding, boundRange, tensorOf } from "./binding.ts";
import { GpuError } from "./errors.ts";
import type { Gpu } from "./gpu.ts";
import type { Constants, Kernel } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import { type LaunchTime, Profiler } from "./profiler.ts";
import { dtypeBytes, formatShape, isPacked, type PooledBuffer, type Tensor } from "./tensor.ts";

/** One kernel launch. */
export interface Dispatch {
  /** Tensors of bind group 0, or parts of them, in the kernel's order. */
  tensors: readonly Binding[];
  /** Values of the parameter block. */
  params?: Readonly<Record<string, number>>;
  /** Workgroups in x, y and z; any 0 records nothing. */
  groups: readonly [number, number, number];
  /** `override` constants of the variant. */
  constants?: Constants;
  /** Floating-point operations, for profiles; left out where memory is the bound. */
  operations?: number;
}

/** What a tensor holds, on the host: f32 as Float32Array, every other dtype as its 32-bit words. */
export type HostArray = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/**
 * Records dispatches and copies, submits them in one go, and reads back.
 *
 * A device has one stream, as it has one queue. `submit()` ends a step; `read()` submits, waits and is the only wait.
 */
export class Stream {
  /** The device. */
  readonly gpu: Gpu;
  readonly #arena: ParameterArena;
  readonly #bindGroups: BindGroups;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** What is recorded now; each submit begins another. */
  #step = 1;
  #submits = 0;
  #dispatches = 0;
  #reads = 0;
  #last: Pipeline | null = null;
  #observer: ((kernel: string) => void) | null = null;
  #profiler: Profiler | null = null;

  /** Made by {@linkcode Gpu.open}. */
  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.#arena = new ParameterArena(gpu.device, gpu.pipelines.paramsLayout);
    this.#bindGroups = new BindGroups(gpu.device);
  }

  /** Submits, dispatches and read-backs since the device was opened. */
  get counts(): { submits: number; dispatches: number; reads: number } {
    return { submits: this.#submits, dispatches: this.#dispatches, reads: this.#reads };
  }

  /**
   * Records one launch of `kernel`; nothing runs before the next submit.
   *
   * @throws {RangeError} If a tensor is larger than one binding.
   * @throws {TypeError} If the number of tensors is not the kernel's.
   */
  dispatch(kernel: Kernel, dispatch: Dispatch): void {
    this.gpu.assertUsable();
    const { tensors, groups } = dispatch;
    if (groups[0] === 0 || groups[1] === 0 || groups[2] === 0) return;
    if (tensors.length !== kernel.buffers.length) {
      throw new TypeError(
        `Cannot dispatch "${kernel.name}": it binds ${kernel.buffers.length} tensors, got ${tensors.length}`,
      );
    }
    if (this.#arena.full || this.#profiler?.full) this.submit();
    const pipeline = this.gpu.pipelines.get(kernel, dispatch.constants ?? {});
    const offset = this.#arena.write(kernel, dispatch.params ?? {});
    const pass = this.#profiler ? this.#timedPass(this.#profiler, kernel, pipeline, dispatch) : this.#openPass();
    if (this.#last !== pipeline) pass.setPipeline(pipeline.pipeline);
    this.#last = pipeline;
    pass.setBindGroup(0, this.#bindGroup(pipeline, tensors));
    pass.setBindGroup(1, this.#arena.bindGroup, [offset]);
    pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
    if (this.#profiler) this.#closePass();
    this.#dispatches++;
    this.#observer?.(pipeline.key);
  }

  /** Calls `observer` with the variant of every dispatch while `record` runs; for tests and `doctor`. */
  observe(observer: (variant: string) => void, record: () => void): void {
    this.#observer = observer;
    try {
      record();
    } finally {
      this.#observer = null;
    }
  }

  /**
   * Times every launch that `body` records, by the device's own clock.
   *
   * @returns What `body` returns, and the launches in order.
   * @throws {GpuError} If the device has no timestamps, or a profile is being taken.
   */
  async profile<T>(body: () => Promise<T>): Promise<{ result: T; launches: LaunchTime[] }> {
    if (!this.gpu.features.has("timestamps")) {
      throw new GpuError(
        `Cannot take a profile: ${this.gpu.adapterName} gives no timestamps, wanted the feature timestamp-query. ` +
          "Run without --profile",
      );
    }
    if (this.#profiler) throw new GpuError("Cannot take a profile inside another: end the first one");
    this.submit();
    using profiler = new Profiler(this.gpu.device);
    this.#profiler = profiler;
    try {
      const result = await body();
      this.submit();
      return { result, launches: await profiler.read() };
    } finally {
      this.#profiler = null;
    }
  }

  /**
   * Records a copy of `elements` elements between tensors, from element `from` of one to element `to` of the other.
   *
   * @throws {RangeError} If the range lies outside either tensor, or cuts a 32-bit word of a half type in two.
   * @throws {TypeError} If the dtypes differ or are packed, or both are one buffer.
   */
  copy(from: Tensor, to: Tensor, range: { from?: number; to?: number; elements?: number } = {}): void {
    const { from: start = 0, to: target = 0, elements = from.length - start } = range;
    const action =
      `Cannot copy ${elements} elements from "${from.label}" ${formatShape(from.shape)} ${from.dtype} at ` +
      `${start} to "${to.label}" ${formatShape(to.shape)} ${to.dtype} at ${target}`;
    if (from.dtype !== to.dtype) throw new TypeError(`${action}: the dtypes must match`);
    if (isPacked(from.dtype)) throw new TypeError(`${action}: packed dtypes are not copied, wanted a plain one`);
    if (from.storage.id === to.storage.id) throw new TypeError(`${action}: they are one buffer, wanted two`);
    const whole = [start, target, elements].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!whole || start + elements > from.length || target + elements > to.length) {
      throw new RangeError(`${action}: the range must lie inside both`);
    }
    const unit = dtypeBytes(from.dtype, 1);
    const words = [start, target, target + elements === to.length ? 0 : elements].every((n) => n * unit % 4 === 0);
    if (!words) throw new RangeError(`${action}: half types are copied by 32-bit words, wanted even numbers`);
    if (elements === 0) return;
    this.#closePass();
    from.storage.lastStep = to.storage.lastStep = this.#step;
    this.#openEncoder().copyBufferToBuffer(
      from.storage.buffer,
      start * unit,
      to.storage.buffer,
      target * unit,
      Math.ceil(elements * unit / 4) * 4,
    );
  }

  /** Records filling `tensor` with zero bits. */
  clear(tensor: Tensor): void {
    this.#closePass();
    tensor.storage.lastStep = this.#step;
    this.#openEncoder().clearBuffer(tensor.storage.buffer);
  }

  /** Whether work that is recorded and not yet submitted uses this buffer. */
  awaits(buffer: PooledBuffer): boolean {
    return buffer.lastStep === this.#step;
  }

  /** Hands everything recorded to the queue, in order. */
  submit(): void {
    this.gpu.assertUsable();
    this.#closePass();
    if (this.#encoder) {
      this.#profiler?.resolve(this.#encoder);
      this.#arena.flush();
      this.gpu.device.queue.submit([this.#encoder.finish()]);
      this.#encoder = null;
      this.#submits++;
    }
    this.#step++;
    this.gpu.submitted();
  }

  /**
   * Submits, waits, and returns the contents of the tensors: one staging buffer and one wait for all of them.
   *
   * @returns One array a tensor: Float32Array for f32, otherwise Uint32Array of the stored words.
   */
  async read<T extends readonly Tensor[]>(...tensors: T): Promise<{ [K in keyof T]: HostArray }> {
    this.gpu.assertUsable();
    const buffers = tensors.map((tensor) => tensor.storage.buffer);
    const offsets: number[] = [];
    let total = 0;
    for (const tensor of tensors) {
      offsets.push(total);
      total += Math.ceil(tensor.byteLength / 4) * 4;
    }
    const staging = this.gpu.device.createBuffer({ label: "read-back", size: Math.max(4, total), usage: 0x1 | 0x8 });
    try {
      this.#closePass();
      tensors.forEach((tensor, i) => {
        const bytes = Math.ceil(tensor.byteLength / 4) * 4;
        if (bytes > 0) {
          this.#openEncoder().copyBufferToBuffer(buffers[i], 0, staging, offsets[i], bytes);
        }
      });
      this.submit();
      await this.gpu.pipelines.settled();
      this.gpu.assertUsable();
      await staging.mapAsync(0x1);
      this.#reads++;
      const bytes = staging.getMappedRange().slice(0);
      staging.unmap();
      this.gpu.assertUsable();
      return tensors.map((tensor, i) => {
        const words = Math.ceil(tensor.byteLength / 4);
        return tensor.dtype === "f32"
          ? new Float32Array(bytes, offsets[i], words)
          : new Uint32Array(bytes, offsets[i], words);
      }) as { [K in keyof T]: HostArray };
    } catch (error) {
      if (error instanceof GpuError) throw error;
      // The event that tells a lost device from another failure comes with the next turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.gpu.assertUsable();
      throw new GpuError("Cannot read from the GPU", { cause: error });
    } finally {
      staging.destroy();
    }
  }

  /** Forgets bind groups that use a destroyed buffer; called by the pool. */
  forget(bufferId: number): void {
    this.#bindGroups.forget(bufferId);
  }

  /** Destroys the arena; called when the device closes. */
  close(): void {
    this.#closePass();
    this.#encoder = null;
    this.#bindGroups.clear();
    this.#arena.destroy();
  }

  #bindGroup(pipeline: Pipeline, tensors: readonly Binding[]): GPUBindGroup {
    const ranges = tensors.map((tensor) => boundRange(tensor, this.gpu.bindingBytes));
    for (const tensor of tensors) tensorOf(tensor).storage.lastStep = this.#step;
    return this.#bindGroups.get(pipeline, tensors, ranges);
  }

  #openEncoder(): GPUCommandEncoder {
    return this.#encoder ??= this.gpu.device.createCommandEncoder({ label: "step" });
  }

  #openPass(): GPUComputePassEncoder {
    return this.#pass ??= this.#openEncoder().beginComputePass({ label: "step" });
  }

  /** A pass for one launch with timestamps around it. */
  #timedPass(profiler: Profiler, kernel: Kernel, pipeline: Pipeline, dispatch: Dispatch): GPUComputePassEncoder {
    this.#closePass();
    const bytes = new Map(dispatch.tensors.map((binding) => {
      const tensor = tensorOf(binding);
      const rest = tensor.byteLength - ("tensor" in binding ? binding.byteOffset : 0);
      return [tensor.storage.id, "tensor" in binding ? binding.byteLength ?? rest : rest];
    }));
    const timestampWrites = profiler.time({
      kernel: kernel.name,
      variant: pipeline.key,
      bytes: bytes.values().reduce((sum, size) => sum + size, 0),
      operations: dispatch.operations ?? 0,
    });
    return this.#pass = this.#openEncoder().beginComputePass({ label: pipeline.key, timestampWrites });
  }

  #closePass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#last = null;
  }
}
