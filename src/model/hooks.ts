import type { Stream } from "../gpu/stream.ts";
import type { Tensor } from "../gpu/tensor.ts";

/**
 * Changes an activation before later parts of the model read it: a replacement of the same size, or a function that
 * records in-place changes on the stream.
 */
export type Patch = Tensor | ((activation: Tensor, stream: Stream) => void);

/** What to keep of a forward pass and what to change in it, by TransformerLens hook name. */
export interface HookOptions {
  /** Names of activations to keep; nothing else is kept. */
  keep?: readonly string[];
  /** Changes by name. */
  patch?: Readonly<Record<string, Patch>>;
}

/** Kept activation: the tensor that owns the memory, and its documented shape. */
export interface KeptActivation {
  /** Owner of the memory. */
  tensor: Tensor;
  /** Shape with batch and position first. */
  shape: readonly number[];
}

/** Applies patches and collects what is kept while a forward pass records itself. */
export class Taps implements Disposable {
  readonly #stream: Stream;
  readonly #keep: ReadonlySet<string>;
  readonly #patch: ReadonlyMap<string, Patch>;
  readonly #kept = new Map<string, KeptActivation>();
  readonly #seen = new Set<string>();

  /** Prepares the taps of one pass. */
  constructor(stream: Stream, options: HookOptions) {
    this.#stream = stream;
    this.#keep = new Set(options.keep ?? []);
    this.#patch = new Map(Object.entries(options.patch ?? {}));
  }

  /** Whether the pass must produce this activation on its own because it is kept or patched. */
  wants(...names: string[]): boolean {
    return names.some((name) => this.#keep.has(name) || this.#patch.has(name));
  }

  /** Passes if no patch is asked for at hooks that only show a value. @throws {TypeError} If one is. */
  refusePatches(...names: string[]): void {
    const name = names.find((name) => this.#patch.has(name));
    if (name === undefined) return;
    throw new TypeError(
      `Cannot patch ${name}: it is computed beside the result, so a change would reach nothing. ` +
        `Patch ${name.replace(/hook_\w+$/, "hook_normalized")}`,
    );
  }

  /**
   * Passes an activation through its hook: patched in place if asked for, noted if kept. The activation is disposed if its
   * patch fails, because the caller may not have noted it yet.
   */
  at(name: string, tensor: Tensor, shape: readonly number[] = tensor.shape): Tensor {
    this.#seen.add(name);
    const patch = this.#patch.get(name);
    try {
      if (patch !== undefined) this.#apply(name, patch, tensor, shape);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    if (this.#keep.has(name)) this.#kept.set(name, { tensor, shape: [...shape] });
    return tensor;
  }

  /** Whether the memory of `tensor` now belongs to what is kept. */
  holds(tensor: Tensor): boolean {
    for (const kept of this.#kept.values()) if (kept.tensor === tensor) return true;
    return false;
  }

  /**
   * What was kept.
   *
   * @throws {TypeError} If a name that was asked for does not exist in this model; lists near ones.
   */
  finish(): Map<string, KeptActivation> {
    for (const name of [...this.#keep, ...this.#patch.keys()]) {
      if (!this.#seen.has(name)) {
        this[Symbol.dispose]();
        const last = name.split(".").at(-1)!;
        const near = [...this.#seen].filter((n) => n.endsWith(last)).slice(0, 3).join(", ");
        throw new TypeError(
          `Cannot find hook "${name}" in this model${near ? `: did you mean ${near}` : ": see the table of hooks"}`,
        );
      }
    }
    return this.#kept;
  }

  /** Disposes what was kept; whoever hands on what {@linkcode finish} gave does not. */
  [Symbol.dispose](): void {
    for (const { tensor } of this.#kept.values()) tensor.dispose();
    this.#kept.clear();
  }

  #apply(name: string, patch: Patch, tensor: Tensor, shape: readonly number[]): void {
    if (typeof patch === "function") return patch(tensor.view(shape), this.#stream);
    if (patch.length !== tensor.length) {
      throw new RangeError(
        `Cannot patch ${name}: found a replacement [${patch.shape.join(", ")}], wanted [${shape.join(", ")}]`,
      );
    }
    this.#stream.copy(patch, tensor);
  }
}

/** Temporary tensors: disposed together, except those that someone else holds by then. */
export class Temps implements Disposable {
  readonly #held: (tensor: Tensor) => boolean;
  readonly #tensors: Tensor[] = [];

  /** Temps of which `held` ones survive. */
  constructor(held: (tensor: Tensor) => boolean = () => false) {
    this.#held = held;
  }

  /** Notes a tensor for disposal and returns it. */
  add<T extends Tensor>(tensor: T): T {
    this.#tensors.push(tensor);
    return tensor;
  }

  /** Disposes all but what is held. */
  [Symbol.dispose](): void {
    for (const tensor of this.#tensors) if (!this.#held(tensor)) tensor.dispose();
    this.#tensors.length = 0;
  }
}
