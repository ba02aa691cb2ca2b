import type { Stream } from "../gpu/stream.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { KeptActivation } from "./hooks.ts";

/**
 * What a pass was asked to keep, on the GPU, by TransformerLens hook name; owns it.
 *
 * | hook | shape |
 * | --- | --- |
 * | `hook_embed`, `blocks.i.hook_resid_pre`, `hook_attn_out`, `hook_resid_mid` (sequential), `hook_mlp_out`, `hook_resid_post` | batch, pos, dModel |
 * | `blocks.i.ln1.hook_scale`, `ln2`, `ln_final` | batch, pos, 1 |
 * | `blocks.i.ln1.hook_unit` (before weight and bias), `hook_normalized` (what the next matrix reads) | batch, pos, dModel |
 * | `blocks.i.attn.hook_q`, `hook_rot_q`, `hook_q_normed`, `hook_z` | batch, pos, nHeads, dHead |
 * | `blocks.i.attn.hook_k`, `hook_v`, `hook_rot_k`, `hook_k_normed` | batch, pos, nKvHeads, dHead |
 * | `blocks.i.attn.hook_pattern` | batch, nHeads, pos, pos |
 * | `blocks.i.mlp.hook_pre`, `hook_pre_linear` (gated), `hook_post` (the key of W_out) | batch, pos, dMlp |
 */
export class ActivationCache implements Disposable {
  /** Logits of the asked positions [n, vocab]; null if none were asked. */
  readonly logits: Tensor | null;
  readonly #stream: Stream;
  readonly #kept: ReadonlyMap<string, KeptActivation>;

  /** Takes over what a pass kept. */
  constructor(stream: Stream, kept: ReadonlyMap<string, KeptActivation>, logits: Tensor | null) {
    this.#stream = stream;
    this.#kept = kept;
    this.logits = logits;
  }

  /** Names of what was kept. */
  get names(): string[] {
    return [...this.#kept.keys()];
  }

  /** A kept activation, valid while the cache is. @throws {TypeError} If it was not kept. */
  get(name: string): Tensor {
    const found = this.#kept.get(name);
    if (!found) {
      throw new TypeError(`Cannot get "${name}": it was not kept. Add it to \`keep\` (kept: ${this.names.join(", ")})`);
    }
    return found.tensor.view(found.shape);
  }

  /** Shape of a kept activation. */
  shape(name: string): readonly number[] {
    return this.get(name).shape;
  }

  /** Reads kept activations to the host, all in one wait; `"logits"` names the logits. */
  async read(...names: string[]): Promise<Record<string, Float32Array>> {
    const tensors = names.map((name) => name === "logits" && this.logits ? this.logits : this.get(name));
    const arrays = await this.#stream.read(...tensors);
    return Object.fromEntries(names.map((name, i) => [name, arrays[i] as Float32Array]));
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    const tensors = new Set([...this.#kept.values()].map((kept) => kept.tensor));
    for (const tensor of tensors) tensor.dispose();
    this.logits?.dispose();
  }
}
