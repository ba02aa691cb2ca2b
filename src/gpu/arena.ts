import type { Kernel } from "./kernel.ts";

/** Bytes from one parameter block to the next: the alignment that WebGPU guarantees for dynamic offsets. */
const SLOT = 256;

/**
 * Parameter blocks of the dispatches recorded since the last submit: one uniform buffer, a slot each, uploaded by one
 * write just before the submit.
 */
export class ParameterArena {
  readonly #device: GPUDevice;
  readonly #buffer: GPUBuffer;
  readonly #mirror: Uint8Array<ArrayBuffer>;
  readonly #words: DataView;
  readonly #slots: number;
  #used = 0;
  /** Bind group 1 of every pipeline. */
  readonly bindGroup: GPUBindGroup;

  /** Makes an arena for at most `slots` dispatches a submit. */
  constructor(device: GPUDevice, layout: GPUBindGroupLayout, slots: number = 2048) {
    this.#device = device;
    this.#slots = slots;
    this.#mirror = new Uint8Array(slots * SLOT);
    this.#words = new DataView(this.#mirror.buffer);
    this.#buffer = device.createBuffer({ label: "parameter arena", size: slots * SLOT, usage: 0x40 | 0x8 });
    this.bindGroup = device.createBindGroup({
      label: "parameter arena",
      layout,
      entries: [{ binding: 0, resource: { buffer: this.#buffer, offset: 0, size: 64 } }],
    });
  }

  /** Whether the next dispatch needs a submit first. */
  get full(): boolean {
    return this.#used === this.#slots;
  }

  /** Writes one parameter block and returns its dynamic offset in bytes. */
  write(kernel: Kernel, values: Readonly<Record<string, number>>): number {
    const base = this.#used++ * SLOT;
    let at = base;
    for (const name in kernel.params) {
      const value = values[name];
      if (value === undefined) throw new TypeError(`Cannot dispatch "${kernel.name}": parameter "${name}" is missing`);
      const type = kernel.params[name];
      if (type === "f32") this.#words.setFloat32(at, value, true);
      else if (type === "u32") this.#words.setUint32(at, value, true);
      else this.#words.setInt32(at, value, true);
      at += 4;
    }
    return base;
  }

  /** Uploads what was written since the last call and starts again at the first slot. */
  flush(): void {
    if (this.#used > 0) this.#device.queue.writeBuffer(this.#buffer, 0, this.#mirror, 0, this.#used * SLOT);
    this.#used = 0;
  }

  /** Destroys the buffer. */
  destroy(): void {
    this.#buffer.destroy();
  }
}
