/**
 * Contrast scores: by how much layers, heads and MLP neurons raise the target above other answers of its kind.
 *
 * The published score also credits what makes the kind of answer likely, for every fact of a relation alike. Against the
 * other objects of the relation the credit goes to where this fact is written: score(v) = c(base + v) - c(base) with
 * c(x) = z_w - log sum over alternatives of exp(z), z the frozen projection of x.
 *
 * @module
 */
import { Temps } from "../model/hooks.ts";
import { linearBackward } from "../model/linear.ts";
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
 * Scores a prompt against alternatives.
 *
 * Only the logits of target and alternatives are needed, so the products are with their directions, not with the
 * vocabulary.
 *
 * @param alternatives Tokens other than the target, each once.
 * @param options `attnNeurons`: score every attention neuron too. Default: not, they are many on long prompts.
 * @throws {RangeError} If there are none, one is the target, or one lies outside the vocabulary.
 */
export async function contrastScores(
  prompt: ScoredPrompt,
  alternatives: readonly number[],
  options: { attnNeurons?: boolean } = {},
): Promise<ContrastScores> {
  const { model, captures, host, target } = prompt;
  checkAlternatives(prompt, alternatives);
  const { gpu: { stream }, weights, config: { nLayers, dModel, dMlp, nHeads, dHead } } = model;
  const tokens = [target, ...alternatives];
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  using temps = new Temps();
  const directions = temps.add(captures.projection.directions(tokens));
  const bias = weights.find("unembed.b_U") ? [temps.add(vectorElements(model, "unembed.b_U", tokens))] : [];
  const through = (weight: string): (layer: number) => Float32Array => {
    const tensors = layers.map((layer) =>
      temps.add(linearBackward(stream, weights, `blocks.${layer}.${weight}`, directions))
    );
    reads.push(...tensors);
    const first = reads.length - tensors.length;
    return (layer) => found[first + layer]!;
  };
  const reads = [directions, ...bias];
  const ffn = through("mlp.W_out");
  const attn = through("attn.W_O");
  const found = await stream.read(...reads) as Float32Array[];

  const logits = (vectors: Float32Array, row: number): Float64Array =>
    Float64Array.from(tokens, (_, t) => {
      let sum = 0;
      for (let i = 0; i < dModel; i++) sum += found[0]![t * dModel + i]! * vectors[row * dModel + i]!;
      return sum;
    });
  const biases = bias.length > 0 ? found[1]! : new Float32Array(tokens.length);
  const bases = Array.from({ length: 2 * nLayers }, (_, row) => {
    const z = logits(host.bases, row).map((v, t) => v + biases[t]!);
    return { z, contrast: contrast(z) };
  });
  /** Increase when logits `added(t)` come to base `row`. */
  const increase = (row: number, added: (t: number) => number): number => {
    const { z, contrast: before } = bases[row]!;
    return contrast(z.map((v, t) => v + added(t))) - before;
  };
  const outputs = Array.from({ length: 2 * nLayers }, (_, row) => {
    const z = logits(host.outputs, row);
    return increase(row, (t) => z[t]!);
  });
  const attnProduct = (layer: number, head: number, dim: number, t: number): number =>
    attn(layer)[t * nHeads * dHead + head * dHead + dim]!;
  const heads = Float64Array.from({ length: nLayers * nHeads }, (_, at) => {
    const [layer, head] = [Math.floor(at / nHeads), at % nHeads];
    const z = new Float64Array(tokens.length);
    for (let dim = 0; dim < dHead; dim++) {
      let feature = 0;
      for (let source = 0; source < prompt.pos; source++) feature += prompt.attnCoefficient(layer, head, dim, source);
      for (let t = 0; t < tokens.length; t++) z[t]! += feature * attnProduct(layer, head, dim, t);
    }
    return increase(layer, (t) => z[t]!);
  });
  const ffnNeurons = Float64Array.from(host.coefficients, (coefficient, at) => {
    const layer = Math.floor(at / dMlp);
    const products = ffn(layer);
    return increase(nLayers + layer, (t) => coefficient * products[t * dMlp + at % dMlp]!);
  });
  const scores = { layers: { attn: outputs.slice(0, nLayers), ffn: outputs.slice(nLayers) }, heads, ffnNeurons };
  if (!options.attnNeurons) return scores;
  const attnNeurons = Float64Array.from({ length: nLayers * nHeads * dHead * prompt.pos }, (_, at) => {
    const { layer, head, dim, source } = attnNeuronAt(prompt, at);
    const coefficient = prompt.attnCoefficient(layer, head, dim, source);
    return increase(layer, (t) => coefficient * attnProduct(layer, head, dim, t));
  });
  return { ...scores, attnNeurons };
}

/** Target's logit, the first, minus the log-sum-exp of the others. */
function contrast(z: Float64Array): number {
  let max = -Infinity;
  for (let t = 1; t < z.length; t++) max = Math.max(max, z[t]!);
  let sum = 0;
  for (let t = 1; t < z.length; t++) sum += Math.exp(z[t]! - max);
  return z[0]! - max - Math.log(sum);
}

function checkAlternatives({ model, target }: ScoredPrompt, alternatives: readonly number[]): void {
  if (alternatives.length === 0) {
    throw new RangeError(
      "Cannot score a contrast: found no alternatives, wanted at least one token besides the target",
    );
  }
  if (alternatives.includes(target) || new Set(alternatives).size < alternatives.length) {
    throw new RangeError(
      `Cannot score a contrast with token ${target}: alternatives must be other tokens, each once, got ` +
        `${alternatives.join(", ")}`,
    );
  }
  model.checkTokens(alternatives, "the alternatives");
}
