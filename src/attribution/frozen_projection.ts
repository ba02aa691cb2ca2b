import { frozenNorm } from "../../kernels/frozen_norm.ts";
import { normScale } from "../../kernels/norm_scale.ts";
import { projectedLogProb } from "../../kernels/projected_log_prob.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { linear, linearBackward } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import { readVectors, withoutBias } from "./weight_vectors.ts";

/**
 * Projection of residual vectors to the vocabulary with the final norm's divisor frozen at that of one residual:
 * `bs(v) = W_U (gamma * centre(v) / s) [+ b_U]`, without centring for RMS norms and without the norm's bias. It is linear
 * but for the bias of the head, so that what is added to a residual adds to its logits (Yu and Ananiadou 2024).
 */
export class FrozenProjection implements Disposable {
  /** The divisor s, [1] f32. */
  readonly scale: Tensor;
  readonly #model: Model;

  /**
   * Freezes the divisor.
   *
   * @param last Residual after the last block at the query position, [1, dModel] f32.
   */
  constructor(model: Model, last: Tensor) {
    this.#model = model;
    this.scale = normScale(model.gpu.stream, { x: last }, { eps: model.config.eps, centre: this.#centre });
  }

  get #centre(): boolean {
    return this.#model.architecture.norm === "layer";
  }

  /**
   * Projects vectors.
   *
   * @param rows Vectors, [n, dModel] f32.
   * @param headBias Whether the bias of the head takes part, if there is one: yes for scores, no for token lists.
   * @returns Logits, [n, vocab] f32.
   */
  logits(rows: Tensor, headBias: boolean = true): Tensor {
    const { gpu: { stream }, weights } = this.#model;
    using normed = this.#normed(rows);
    return headBias ? linear(stream, weights, "unembed.W_U", normed) : withoutBias(this.#model, "unembed.W_U", normed);
  }

  /**
   * Log-probability of a token under the projection of each vector; no logits are stored.
   *
   * @param rows Vectors, [n, dModel] f32.
   * @returns [n] f32.
   */
  logProb(rows: Tensor, target: number): Tensor {
    const { gpu: { stream }, weights, config: { dModel } } = this.#model;
    using normed = this.#normed(rows);
    using token = this.#model.uploadIndex(new Array<number>(rows.length / dModel).fill(target), "target");
    const head = { b: weights.get("unembed.W_U"), bias: weights.find("unembed.b_U") };
    return projectedLogProb(stream, { a: normed, ...head, token });
  }

  /**
   * Carries gradients of logits back to the projected vector.
   *
   * @param dLogits [n, vocab] f32.
   * @returns [n, dModel] f32.
   */
  pullBack(dLogits: Tensor): Tensor {
    const { gpu: { stream }, weights } = this.#model;
    using dNormed = linearBackward(stream, weights, "unembed.W_U", dLogits);
    return this.#transposed(dNormed);
  }

  /**
   * Directions whose product with a vector is the vector's logit of a token, bias of the head left out.
   *
   * @param ids Tokens.
   * @returns [tokens, dModel] f32.
   */
  directions(ids: readonly number[]): Tensor {
    using rows = readVectors(this.#model, [{ weight: "unembed.W_U", index: ids }]);
    return this.#transposed(rows);
  }

  #normed(x: Tensor): Tensor {
    const { gpu: { stream }, weights } = this.#model;
    const input = { x, weight: weights.get("ln_final.w"), scale: this.scale };
    return frozenNorm(stream, input, { centre: this.#centre });
  }

  #transposed(x: Tensor): Tensor {
    const { gpu: { stream }, weights } = this.#model;
    const input = { x, weight: weights.get("ln_final.w"), scale: this.scale };
    return frozenNorm(stream, input, { centre: this.#centre, transposed: true });
  }

  /** Gives the divisor back. */
  [Symbol.dispose](): void {
    this.scale.dispose();
  }
}
