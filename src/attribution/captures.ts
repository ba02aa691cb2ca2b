import { add } from "../../kernels/add.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { ActivationCache } from "../model/activation_cache.ts";
import type { Model } from "../model/model.ts";
import { FrozenProjection } from "./frozen_projection.ts";

/**
 * What one forward pass leaves for attribution at the last position of a prompt, on the GPU.
 *
 * Everything an earlier position would need is there too: attribution at position p of a prompt is attribution at the
 * last position of its first p + 1 tokens, since attention only looks back.
 */
export class Captures implements Disposable {
  /** Model. */
  readonly model: Model;
  /** Tokens up to the query position. */
  readonly ids: readonly number[];
  /** Kept activations at all positions (`keptHooks` names them) and the logits of the last one. */
  readonly cache: ActivationCache;
  /** Vocabulary projection with the divisor of the last residual. */
  readonly projection: FrozenProjection;
  /**
   * Residuals at the query position, [2 nLayers + 1, dModel]: x_l (before layer l) for every layer, then r_l = x_l + a_l
   * (after its attention; also in parallel blocks, where no part of the model reads it), then the last residual.
   */
  readonly bases: Tensor;
  /** Outputs of every layer at the query position with their biases, [2 nLayers, dModel]: attention, then MLP. */
  readonly outputs: Tensor;
  /** MLP coefficients at the query position, [nLayers, dMlp]. */
  readonly coefficients: Tensor;
  /** Attention from the query position, [nLayers, nHeads, pos]. */
  readonly pattern: Tensor;
  /** Attention values at every position, [nLayers, pos, nKvHeads, dHead]. */
  readonly values: Tensor;
  readonly #owned: DisposableStack;

  /**
   * Records the forward pass; nothing waits.
   *
   * @param ids Tokens of the prompt up to the query position.
   * @throws {RangeError} If there are none, too many, or one outside the vocabulary.
   */
  constructor(model: Model, ids: readonly number[]) {
    const { gpu, config: { nLayers, dModel, dMlp, nHeads, nKvHeads, dHead } } = model;
    using made = new DisposableStack();
    this.model = model;
    this.ids = [...ids];
    this.cache = made.use(model.forward(ids, { keep: keptHooks(model) }));
    const pos = ids.length;
    const make = (shape: number[], label: string): Tensor => made.use(gpu.tensor(shape, label));
    this.bases = make([2 * nLayers + 1, dModel], "residual bases");
    this.outputs = make([2 * nLayers, dModel], "layer outputs");
    this.coefficients = make([nLayers, dMlp], "coefficients");
    this.pattern = make([nLayers, nHeads, pos], "attention from the query");
    this.values = make([nLayers, pos, nKvHeads, dHead], "attention values");
    const take = (hook: string, to: Tensor, at: number, start: number, elements: number): void =>
      gpu.stream.copy(this.cache.get(hook), to, { from: start, to: at, elements });
    const lastRow = (hook: string, width: number, to: Tensor, row: number): void =>
      take(hook, to, row * width, (pos - 1) * width, width);
    for (let layer = 0; layer < nLayers; layer++) {
      const name = `blocks.${layer}.`;
      lastRow(`${name}hook_resid_pre`, dModel, this.bases, layer);
      lastRow(`${name}hook_attn_out`, dModel, this.outputs, layer);
      lastRow(`${name}hook_mlp_out`, dModel, this.outputs, nLayers + layer);
      lastRow(`${name}mlp.hook_post`, dMlp, this.coefficients, layer);
      const width = nKvHeads * dHead;
      take(`${name}attn.hook_v`, this.values, layer * pos * width, 0, pos * width);
      for (let head = 0; head < nHeads; head++) {
        const row = layer * nHeads + head;
        take(`${name}attn.hook_pattern`, this.pattern, row * pos, (head * pos + pos - 1) * pos, pos);
      }
    }
    const lastHook = `blocks.${nLayers - 1}.hook_resid_post`;
    lastRow(lastHook, dModel, this.bases, 2 * nLayers);
    using before = gpu.tensor([nLayers, dModel], "residuals before");
    using attention = gpu.tensor([nLayers, dModel], "attention outputs");
    gpu.stream.copy(this.bases, before, { elements: before.length });
    gpu.stream.copy(this.outputs, attention, { elements: attention.length });
    using middle = add(gpu.stream, { a: before, b: attention });
    gpu.stream.copy(middle, this.bases, { to: nLayers * dModel });
    using last = gpu.tensor([1, dModel], "last residual");
    gpu.stream.copy(this.bases, last, { from: 2 * nLayers * dModel, elements: dModel });
    this.projection = made.use(new FrozenProjection(model, last));
    this.#owned = made.move();
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** Hooks that attribution keeps. */
export function keptHooks(model: Model): string[] {
  const { config: { nLayers }, architecture: { gated } } = model;
  const names = Array.from({ length: nLayers }, (_, layer) => `blocks.${layer}.`).flatMap((name) => [
    `${name}hook_resid_pre`,
    `${name}hook_attn_out`,
    `${name}hook_mlp_out`,
    `${name}attn.hook_pattern`,
    `${name}attn.hook_v`,
    `${name}mlp.hook_post`,
    ...(gated ? [`${name}mlp.hook_pre`, `${name}mlp.hook_pre_linear`] : []),
  ]);
  return [...names, `blocks.${nLayers - 1}.hook_resid_post`];
}
