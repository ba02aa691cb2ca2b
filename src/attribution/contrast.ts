/**
 * Contrast scores: by how much layers, heads and MLP neurons raise the target above other answers of its kind.
 *
 * The published score also credits what makes the kind of answer likely, for every fact of a relation alike. Against the
 * other objects of the relation the credit goes to where this fact is written: score(v) = c(base + v) - c(base) with
 * c(x) = z_w - log sum over alternatives of exp(z), z the frozen projection of x.
 *
 * @module
 */
import type { Tensor } from "../gpu/tensor.ts";
import { Temps } from "../model/hooks.ts";
import { linearBackward } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import type { Captures } from "./captures.ts";
import { attnNeuronAt } from "./neuron_scores.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import type { LayerValues } from "./scores.ts";
import { vectorElements } from "./weight_vectors.ts";

/** Contrast scores of a prompt. */
export interface ContrastScores {
  /** Attention and MLP outputs, biases included. */
  readonly layers: LayerValues;
  /** Query heads, [nLayers, nHeads]. */
  readonly heads: Float64Array;
  /** MLP neurons, [nLayers, dMlp]; all of them, exactly: each takes one product an alternative. */
  readonly ffnNeurons: Float64Array;
  /** Attention neurons, [nLayers, nHeads, dHead, source positions], where they were asked for. */
  readonly attnNeurons?: Float64Array;
}

/**
 * Scores the layers of a prompt alone, which takes no more than its forward pass.
 *
 * @param captures What the forward pass left.
 * @param target Token whose answer it is.
 * @param alternatives Tokens other than the target; one that is listed twice counts as two answers.
 * @throws {RangeError} If there are none, one is the target, or one lies outside the vocabulary.
 */
export async function layerContrasts(
  captures: Captures,
  target: number,
  alternatives: readonly number[],
): Promise<LayerValues> {
  const { model, bases, outputs } = captures;
  using temps = new Temps();
  const asked = askedOf(captures, target, alternatives, temps);
  const [baseRows, outputRows, ...found] = await model.gpu.stream.read(bases, outputs, ...asked) as Float32Array[];
  return new Contrasts(found, baseRows!, model.config.dModel).layers(outputRows!);
}

/**
 * Scores a prompt against alternatives.
 *
 * Only the logits of target and alternatives are needed, so the products are with their directions, not with the
 * vocabulary.
 *
 * @param alternatives Tokens other than the target; one that is listed twice counts as two answers.
 * @param options `attnNeurons`: score every attention neuron too. Default: not, they are many on long prompts.
 * @throws {RangeError} If there are none, one is the target, or one lies outside the vocabulary.
 */
export async function contrastScores(
  prompt: ScoredPrompt,
  alternatives: readonly number[],
  options: { attnNeurons?: boolean } = {},
): Promise<ContrastScores> {
  const { model, captures, host, target } = prompt;
  const { gpu: { stream }, weights, config: { nLayers, dModel, dMlp, nHeads, dHead } } = model;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  using temps = new Temps();
  const asked = askedOf(captures, target, alternatives, temps);
  const through = (weight: string): Tensor[] =>
    layers.map((layer) => temps.add(linearBackward(stream, weights, `blocks.${layer}.${weight}`, asked[0]!)));
  const products = [...through("mlp.W_out"), ...through("attn.W_O")];
  const found = await stream.read(...products, ...asked) as Float32Array[];
  const ffn = found.slice(0, nLayers);
  const attn = found.slice(nLayers, 2 * nLayers);
  const contrasts = new Contrasts(found.slice(2 * nLayers), host.bases, dModel);

  const attnWidth = nHeads * dHead;
  const heads = Float64Array.from({ length: nLayers * nHeads }, (_, at) => {
    const [layer, head] = [Math.floor(at / nHeads), at % nHeads];
    const z = new Float64Array(1 + alternatives.length);
    for (let dim = 0; dim < dHead; dim++) {
      let feature = 0;
      for (let source = 0; source < prompt.pos; source++) feature += prompt.attnCoefficient(layer, head, dim, source);
      for (let t = 0; t < z.length; t++) z[t]! += feature * attn[layer]![t * attnWidth + head * dHead + dim]!;
    }
    return contrasts.increase(layer, z);
  });
  const ffnNeurons = new Float64Array(nLayers * dMlp);
  for (let layer = 0; layer < nLayers; layer++) {
    for (let neuron = 0; neuron < dMlp; neuron++) {
      const at = layer * dMlp + neuron;
      const row = nLayers + layer;
      ffnNeurons[at] = contrasts.increase(row, ffn[layer]!, {
        scale: host.coefficients[at]!,
        first: neuron,
        step: dMlp,
      });
    }
  }
  const scores = { layers: contrasts.layers(host.outputs), heads, ffnNeurons };
  if (!options.attnNeurons) return scores;
  const attnNeurons = Float64Array.from({ length: nLayers * nHeads * dHead * prompt.pos }, (_, at) => {
    const { layer, head, dim, source } = attnNeuronAt(prompt, at);
    const scale = prompt.attnCoefficient(layer, head, dim, source);
    return contrasts.increase(layer, attn[layer]!, { scale, first: head * dHead + dim, step: attnWidth });
  });
  return { ...scores, attnNeurons };
}

/** Directions of target and alternatives and, where the head has one, their biases; owned by `temps`. */
function askedOf(captures: Captures, target: number, alternatives: readonly number[], temps: Temps): Tensor[] {
  const { model, projection } = captures;
  checkAlternatives(model, target, alternatives);
  const tokens = [target, ...alternatives];
  const directions = temps.add(projection.directions(tokens));
  return model.weights.find("unembed.b_U")
    ? [directions, temps.add(vectorElements(model, "unembed.b_U", tokens))]
    : [directions];
}

/** Contrasts at the bases of a prompt, the target being the first of the tokens. */
class Contrasts {
  readonly #directions: Float32Array;
  readonly #dModel: number;
  /** Tokens. */
  readonly #count: number;
  /** Logits and contrast of each base. */
  readonly #bases: { z: Float64Array; contrast: number }[];
  /** Logits under way; made once, since every neuron takes a turn. */
  readonly #sum: Float64Array;

  /**
   * @param asked Directions [tokens, dModel] and, unless they are 0, biases [tokens].
   * @param bases Residuals as {@linkcode Captures.bases}.
   */
  constructor([directions, biases]: readonly Float32Array[], bases: Float32Array, dModel: number) {
    this.#directions = directions!;
    this.#dModel = dModel;
    this.#count = directions!.length / dModel;
    this.#sum = new Float64Array(this.#count);
    // The last residual is the base of nothing.
    this.#bases = Array.from({ length: bases.length / dModel - 1 }, (_, row) => {
      const z = this.#logits(bases, row).map((value, t) => value + (biases?.[t] ?? 0));
      return { z, contrast: contrast(z) };
    });
  }

  /** Increase when logits come to base `row`: `scale` times every `step`-th value from `first` on. */
  increase(row: number, values: ArrayLike<number>, { scale = 1, first = 0, step = 1 } = {}): number {
    const { z, contrast: before } = this.#bases[row]!;
    for (let t = 0; t < z.length; t++) this.#sum[t] = z[t]! + scale * values[first + t * step]!;
    return contrast(this.#sum) - before;
  }

  /** Increase by each layer's outputs, given as {@linkcode Captures.outputs}. */
  layers(outputs: Float32Array): LayerValues {
    const increases = this.#bases.map((_, row) => this.increase(row, this.#logits(outputs, row)));
    const nLayers = increases.length / 2;
    return { attn: increases.slice(0, nLayers), ffn: increases.slice(nLayers) };
  }

  #logits(vectors: Float32Array, row: number): Float64Array {
    const directions = this.#directions, dModel = this.#dModel;
    return Float64Array.from({ length: this.#count }, (_, t) => {
      let sum = 0;
      for (let i = 0; i < dModel; i++) sum += directions[t * dModel + i]! * vectors[row * dModel + i]!;
      return sum;
    });
  }
}

/** Target's logit, the first, minus the log-sum-exp of the others. */
function contrast(z: Float64Array): number {
  let max = -Infinity;
  for (let t = 1; t < z.length; t++) max = Math.max(max, z[t]!);
  let sum = 0;
  for (let t = 1; t < z.length; t++) sum += Math.exp(z[t]! - max);
  return z[0]! - max - Math.log(sum);
}

function checkAlternatives(model: Model, target: number, alternatives: readonly number[]): void {
  if (alternatives.length === 0) {
    throw new RangeError(
      "Cannot score a contrast: found no alternatives, wanted at least one token besides the target",
    );
  }
  if (alternatives.includes(target)) {
    throw new RangeError(
      `Cannot score a contrast with token ${target}: alternatives must be other tokens, got ${alternatives.join(", ")}`,
    );
  }
  // One by one: together they are no prompt, and may be more than a context holds.
  for (const id of alternatives) model.checkTokens([id]);
}
