import type { Tensor } from "../gpu/tensor.ts";

/** What the backward pass of a block reads. */
export interface BlockTape {
  /** Input of the block. */
  residPre?: Tensor;
  /** Residual after attention (sequential blocks). */
  residMid?: Tensor;
  /** Projections before head norms and rotation. */
  q?: Tensor;
  /** Keys before head norm and rotation. */
  k?: Tensor;
  /** Queries as attention reads them. */
  rotQ?: Tensor;
  /** Keys as attention reads them (for all positions when a cache is used; then the cache owns them). */
  rotK?: Tensor;
  /** Values as attention reads them (likewise). */
  v?: Tensor;
  /** Attention result per head. */
  z?: Tensor;
  /** Log-sum-exp of the attention scores. */
  logSumExp?: Tensor;
  /** Pre-activation of the MLP (of the gate in gated ones). */
  pre?: Tensor;
  /** Linear branch of a gated MLP. */
  preLinear?: Tensor;
}

/** Activations that a forward pass leaves for the backward pass; owns them. */
export class Tape implements Disposable {
  readonly #blocks = new Map<number, BlockTape>();
  readonly #owned = new Set<Tensor>();

  /** Records activations of a block and takes ownership. */
  note(layer: number, tensors: BlockTape): void {
    this.#blocks.set(layer, { ...this.#blocks.get(layer), ...tensors });
    for (const tensor of Object.values(tensors)) this.#owned.add(tensor);
  }

  /** What a block left. @throws {TypeError} If the forward pass recorded nothing for it. */
  get(layer: number): BlockTape {
    const found = this.#blocks.get(layer);
    if (!found) throw new TypeError(`Cannot go back through block ${layer}: the forward pass recorded nothing for it`);
    return found;
  }

  /** Whether the tape owns this tensor. */
  holds(tensor: Tensor): boolean {
    return this.#owned.has(tensor);
  }

  /** Disposes everything recorded. */
  [Symbol.dispose](): void {
    for (const tensor of this.#owned) tensor.dispose();
    this.#owned.clear();
    this.#blocks.clear();
  }
}
