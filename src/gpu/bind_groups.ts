import { type Binding, type BoundRange, tensorOf } from "./binding.ts";
import type { Pipeline } from "./pipelines.ts";

/** Bind groups kept before the cache is emptied; a forward pass of 8 layers uses a few hundred. */
const MAX_BIND_GROUPS = 8192;

/** Makes a bind group once for the same layout and the same ranges of the same buffers. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #groups = new Map<string, GPUBindGroup>();

  /** Makes an empty cache. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The bind group of `pipeline` for these bindings, `ranges` being what they take. */
  get(pipeline: Pipeline, bindings: readonly Binding[], ranges: readonly BoundRange[]): GPUBindGroup {
    let key = `${pipeline.layoutId}`;
    bindings.forEach((binding, i) => {
      key += `,${tensorOf(binding).storage.id}@${ranges[i]!.offset}+${ranges[i]!.size}`;
    });
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size >= MAX_BIND_GROUPS) this.#groups.clear();
      group = this.#device.createBindGroup({
        label: pipeline.key,
        layout: pipeline.layout,
        entries: bindings.map((tensor, binding) => ({
          binding,
          resource: { buffer: tensorOf(tensor).storage.buffer, ...ranges[binding]! },
        })),
      });
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Forgets those that use a destroyed buffer. */
  forget(bufferId: number): void {
    for (const key of this.#groups.keys()) {
      if (key.includes(`,${bufferId}@`)) this.#groups.delete(key);
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#groups.clear();
  }
}
