import { GpuError } from "./errors.ts";
import type { Constants, Kernel } from "./kernel.ts";

/** A compiled variant of a kernel. */
export interface Pipeline {
  /** Kernel name and constants, as shown in profiles and errors. */
  readonly key: string;
  /** Small number that stands for the bind group layout in cache keys. */
  readonly layoutId: number;
  /** Layout of the kernel's buffers. */
  readonly layout: GPUBindGroupLayout;
  /** The pipeline. */
  readonly pipeline: GPUComputePipeline;
}

/** How long a variant took to compile. */
export interface CompileTime {
  /** Kernel name and constants. */
  readonly key: string;
  /** Milliseconds in which its shader was checked, translated and handed to the driver. */
  readonly ms: number;
}

/** Compiles each variant of a kernel once, with explicit layouts, and reports shader errors with their text. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #onError: (error: GpuError) => void;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #kernels = new Map<string, Kernel>();
  readonly #times: CompileTime[] = [];
  readonly #layouts = new Map<string, { id: number; layout: GPUBindGroupLayout }>();
  /** Layout of bind group 1: the parameter block with a dynamic offset, the same for every kernel. */
  readonly paramsLayout: GPUBindGroupLayout;
  #pending: Promise<void>[] = [];

  /** Makes an empty cache; errors of compilation arrive at `onError`. */
  constructor(device: GPUDevice, onError: (error: GpuError) => void) {
    this.#device = device;
    this.#onError = onError;
    this.paramsLayout = device.createBindGroupLayout({
      label: "parameters",
      entries: [{ binding: 0, visibility: 4, buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: 64 } }],
    });
  }

  /** Number of compiled variants. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** What each variant took to compile, in the order of first use. */
  get compileTimes(): readonly CompileTime[] {
    return this.#times;
  }

  /**
   * The variant of `kernel` with these constants, compiled at the first call.
   *
   * What shapes the code is its text, which the kernel's name stands for, and the constants: dtypes, sizes of workgroups
   * and everything else that varies are among them, and the features of the device are the same for the whole cache.
   *
   * @throws {TypeError} If another kernel of the same name has another text or other buffers.
   */
  get(kernel: Kernel, constants: Constants): Pipeline {
    const key = variantKey(kernel, constants);
    const found = this.#pipelines.get(key);
    this.#checkName(kernel);
    if (found) return found;
    const begin = performance.now();
    const { id, layout } = this.#layout(kernel);
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: key, code: kernel.code });
    const pipeline = this.#device.createComputePipeline({
      label: key,
      layout: this.#device.createPipelineLayout({ label: key, bindGroupLayouts: [layout, this.paramsLayout] }),
      compute: { module, entryPoint: "main", constants: { ...constants } },
    });
    this.#times.push({ key, ms: performance.now() - begin });
    const check = this.#device.popErrorScope().then(async (error) => {
      if (!error) return;
      const info = await module.getCompilationInfo();
      const lines = info.messages.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`);
      this.#onError(
        new GpuError(`Cannot compile kernel "${key}": ${[error.message, ...lines].join("\n")}`, {
          kernel: kernel.name,
        }),
      );
    });
    this.#pending.push(check);
    const entry = { key, layoutId: id, layout, pipeline };
    this.#pipelines.set(key, entry);
    return entry;
  }

  /** Resolves when every compilation so far has reported. */
  async settled(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    await Promise.all(pending);
  }

  #checkName(kernel: Kernel): void {
    const first = this.#kernels.get(kernel.name);
    if (first === kernel) return;
    if (!first) this.#kernels.set(kernel.name, kernel);
    else if (first.code !== kernel.code || first.buffers.join() !== kernel.buffers.join()) {
      throw new TypeError(
        `Cannot compile kernel "${kernel.name}": another of that name has other code or buffers, and the name stands for ` +
          "both. Give it a name of its own",
      );
    }
  }

  #layout(kernel: Kernel): { id: number; layout: GPUBindGroupLayout } {
    const key = kernel.buffers.join(",");
    let found = this.#layouts.get(key);
    if (!found) {
      const layout = this.#device.createBindGroupLayout({
        label: `buffers ${key}`,
        entries: kernel.buffers.map((access, binding) => ({
          binding,
          visibility: 4,
          buffer: { type: access === "read" ? "read-only-storage" as const : "storage" as const },
        })),
      });
      found = { id: this.#layouts.size, layout };
      this.#layouts.set(key, found);
    }
    return found;
  }
}

function variantKey(kernel: Kernel, constants: Constants): string {
  const names = Object.keys(constants).sort();
  return names.length === 0 ? kernel.name : `${kernel.name}(${names.map((n) => `${n}=${constants[n]}`).join(",")})`;
}
