/** What {@linkcode GpuError} knows besides its message. */
export interface GpuErrorOptions {
  /** Kernel whose shader, pipeline or dispatch failed. */
  kernel?: string;
  /** Label of the buffer or step concerned. */
  label?: string;
  /** The error underneath. */
  cause?: unknown;
}

/** A failure of the GPU, its driver, or of a shader: nothing the caller's data could have caused. */
export class GpuError extends Error {
  /** Name of the class. */
  override readonly name: string = "GpuError";
  /** Kernel whose shader, pipeline or dispatch failed, if one did. */
  readonly kernel: string | undefined;
  /** Label of the buffer or step concerned, if known. */
  readonly label: string | undefined;

  /** Makes an error with the kernel and label that it concerns. */
  constructor(message: string, options: GpuErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kernel = options.kernel;
    this.label = options.label;
  }
}

/** The device was lost: every tensor is gone and the process (or notebook kernel) has to start again. */
export class DeviceLostError extends GpuError {
  /** Name of the class. */
  override readonly name = "DeviceLostError";
}

/** No WebGPU adapter was found; the message says what to install on this system. */
export class NoAdapterError extends GpuError {
  /** Name of the class. */
  override readonly name = "NoAdapterError";

  /** Makes the error with the remedy for `os`. */
  constructor(os: string = Deno.build.os) {
    super(`Cannot open a GPU: found no WebGPU adapter, wanted one. ${REMEDY[os] ?? REMEDY.linux}`);
  }
}

const REMEDY: Record<string, string> = {
  linux: "Install a Vulkan driver: that of the GPU's maker, or Mesa's CPU driver with " +
    "`sudo apt-get install libvulkan1 mesa-vulkan-drivers`, or let `sh scripts/up.sh demo` do it",
  darwin: "macOS brings Metal: check that Deno is 2.9 or newer (`deno --version`) and not run under emulation",
  windows: "Windows brings Direct3D 12: update the graphics driver and check that Deno is 2.9 or newer",
};

/** The step would need more memory than there is; thrown before anything is allocated. */
export class GpuMemoryError extends GpuError {
  /** Name of the class. */
  override readonly name = "GpuMemoryError";
}
