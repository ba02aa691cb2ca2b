import { type Binding, type BoundRange, tensorOf } from "./binding.ts";
import type { Pipeline } from "./pipelines.ts";

/** Bind groups kept before the cache is emptied; a forward pass of 8 layers uses a few hundred. */
const MAX_BIND_GROUPS = 8192;

/** A bind group with the ids of its buffers. */
interface KeptGroup {
  readonly group: GPUBindGroup;
  readonly buffers: readonly number[];
}

/** Makes a bind group once for the same layout and the same ranges of the same buffers. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #groups = new Map<string, KeptGroup>();
  /** Keys that name a buffer: buffers are destroyed by the hundred, too many to look through all keys for each. */
  readonly #keysOf = new Map<number, Set<string>>();

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
    return (this.#groups.get(key) ?? this.#make(key, pipeline, bindings, ranges)).group;
  }

  /** Forgets those that use a destroyed buffer. */
  forget(bufferId: number): void {
    for (const key of this.#keysOf.get(bufferId) ?? []) {
      for (const id of this.#groups.get(key)!.buffers) if (id !== bufferId) this.#keysOf.get(id)!.delete(key);
      this.#groups.delete(key);
    }
    this.#keysOf.delete(bufferId);
  }

  /** Forgets all. */
  clear(): void {
    this.#groups.clear();
    this.#keysOf.clear();
  }

  #make(key: string, pipeline: Pipeline, bindings: readonly Binding[], ranges: readonly BoundRange[]): KeptGroup {
    if (this.#groups.size >= MAX_BIND_GROUPS) this.clear();
    const storages = bindings.map((binding) => tensorOf(binding).storage);
    const group = this.#device.createBindGroup({
      label: pipeline.key,
      layout: pipeline.layout,
      entries: storages.map(({ buffer }, binding) => ({ binding, resource: { buffer, ...ranges[binding]! } })),
    });
    const kept = { group, buffers: storages.map(({ id }) => id) };
    this.#groups.set(key, kept);
    for (const id of kept.buffers) {
      const keys = this.#keysOf.get(id);
      if (keys) keys.add(key);
      else this.#keysOf.set(id, new Set([key]));
    }
    return kept;
  }
}
