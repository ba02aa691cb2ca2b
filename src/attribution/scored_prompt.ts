import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { crossEntropyBackward } from "../../kernels/cross_entropy_backward.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { Temps } from "../model/hooks.ts";
import { linearBackward } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import { Captures } from "./captures.ts";

/** What scores read on the host; everything f32 and row-major. */
export interface HostScores {
  /** The model's log-probability of the target at the query position. */
  readonly logProb: number;
  /** Frozen divisor. */
  readonly scale: number;
  /** Frozen log-probability of the target at every base, [2 nLayers + 1] as {@linkcode Captures.bases}. */
  readonly baseLogProb: Float32Array;
  /** Gradient of that log-probability, [2 nLayers + 1, dModel]. */
  readonly gradient: Float32Array;
  /** {@linkcode Captures.bases}. */
  readonly bases: Float32Array;
  /** {@linkcode Captures.outputs}. */
  readonly outputs: Float32Array;
  /** {@linkcode Captures.coefficients}. */
  readonly coefficients: Float32Array;
  /** {@linkcode Captures.pattern}. */
  readonly pattern: Float32Array;
  /** {@linkcode Captures.values}. */
  readonly values: Float32Array;
  /** Gradient at r_l times each column of `W_out`, by layer, [dMlp] each: bound of a neuron = coefficient * slope. */
  readonly ffnSlopes: readonly Float32Array[];
  /** Gradient at x_l times each column of `W_O`, by layer, [nHeads * dHead] each. */
  readonly attnSlopes: readonly Float32Array[];
}

/**
 * A prompt and a target token, ready to be scored: one forward pass, the frozen log-probabilities of all bases, and the
 * slopes that bound every neuron's score from above.
 *
 * With z the logits of an added vector and p the probabilities at its base, the score is z_w - log sum p exp(z), and by
 * Jensen's inequality at most z_w - sum p z, the vector's product with the gradient of log p(w) at the base.
 */
export class ScoredPrompt implements Disposable {
  /** Activations on the GPU. */
  readonly captures: Captures;
  /** Scored token. */
  readonly target: number;
  /** Values on the host. */
  readonly host: HostScores;

  private constructor(captures: Captures, target: number, host: HostScores) {
    this.captures = captures;
    this.target = target;
    this.host = host;
  }

  /** Model. */
  get model(): Model {
    return this.captures.model;
  }

  /** Tokens up to the query position. */
  get pos(): number {
    return this.captures.ids.length;
  }

  /**
   * Runs the model, with one submit and one read-back.
   *
   * @param ids Tokens of the prompt up to the position that predicts the target.
   * @param target Token whose log-probability is scored.
   * @throws {RangeError} If a token lies outside the vocabulary or the prompt is empty or too long.
   */
  static async open(model: Model, ids: readonly number[], target: number): Promise<ScoredPrompt> {
    model.checkTokens([target], "the target");
    const captures = new Captures(model, ids);
    try {
      return new ScoredPrompt(captures, target, await readHost(captures, target));
    } catch (error) {
      captures[Symbol.dispose]();
      throw error;
    }
  }

  /** Coefficient of an attention neuron: attention from the query position times the value at the source position. */
  attnCoefficient(layer: number, head: number, dim: number, source: number): number {
    const { nHeads, nKvHeads, dHead } = this.model.config;
    const { pattern, values } = this.host;
    const kvHead = Math.floor(head / (nHeads / nKvHeads));
    return pattern[(layer * nHeads + head) * this.pos + source]! *
      values[((layer * this.pos + source) * nKvHeads + kvHead) * dHead + dim]!;
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.captures[Symbol.dispose]();
  }
}

async function readHost(captures: Captures, target: number): Promise<HostScores> {
  const { model, projection, bases, outputs, coefficients, pattern, values } = captures;
  const { gpu, config: { nLayers, dModel }, weights } = model;
  const { stream } = gpu;
  using temps = new Temps();
  const count = 2 * nLayers + 1;
  const logits = temps.add(projection.logits(bases));
  const targets = temps.add(model.uploadIndex(new Array<number>(count).fill(target), "target"));
  const weight = temps.add(gpu.upload(new Float32Array(count).fill(-1), [count], "sign"));
  const entropy = crossEntropy(stream, { logits, target: targets });
  for (const tensor of Object.values(entropy)) temps.add(tensor);
  const one = temps.add(model.uploadIndex([target], "target"));
  const predicted = crossEntropy(stream, { logits: captures.cache.logits!, target: one });
  for (const tensor of Object.values(predicted)) temps.add(tensor);
  const dLogits = temps.add(
    crossEntropyBackward(stream, { logits, logProb: entropy.logProb, target: targets, weight }),
  );
  const gradient = temps.add(projection.pullBack(dLogits));
  const slopes = (name: string, layer: number, base: number): Tensor => {
    using row = gpu.tensor([1, dModel], "gradient at a base");
    stream.copy(gradient, row, { from: base * dModel, elements: dModel });
    return temps.add(linearBackward(stream, weights, `blocks.${layer}.${name}`, row));
  };
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const ffn = layers.map((layer) => slopes("mlp.W_out", layer, nLayers + layer));
  const attn = layers.map((layer) => slopes("attn.W_O", layer, layer));
  const parts = [predicted.logProb, projection.scale, entropy.logProb, gradient, bases, outputs];
  const neurons = [coefficients, pattern, values];
  const found = await stream.read(...parts, ...neurons, ...ffn, ...attn) as Float32Array[];
  const slopesFrom = parts.length + neurons.length;
  return {
    logProb: found[0]![0]!,
    scale: found[1]![0]!,
    baseLogProb: found[2]!,
    gradient: found[3]!,
    bases: found[4]!,
    outputs: found[5]!,
    coefficients: found[6]!,
    pattern: found[7]!,
    values: found[8]!,
    ffnSlopes: found.slice(slopesFrom, slopesFrom + nLayers),
    attnSlopes: found.slice(slopesFrom + nLayers),
  };
}
