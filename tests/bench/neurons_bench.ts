/**
 * Certified ranking of MLP neurons against the published algorithm, which scores every neuron.
 *
 * @module
 */
import { addScaledRows } from "../../kernels/add_scaled_rows.ts";
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { Captures } from "../../src/attribution/captures.ts";
import { ffnNeuronScores, rankFfnNeurons } from "../../src/attribution/neuron_scores.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { writtenVectors } from "../../src/attribution/weight_vectors.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { nextTokens } from "../../src/model/next_tokens.ts";
import type { Comparison } from "./comparison.ts";
import { awaited, type BenchContext } from "./context.ts";
import { race, type Timing } from "./race.ts";

/** A fact that the world models know. */
const PROMPT = "The capital of France is";

/** Neurons wanted. */
export const TOP = 100;

/** A neuron's number (layer * dMlp + neuron) with its score. */
interface Scored {
  readonly index: number;
  readonly score: number;
}

/** Log-probabilities [rows] of a token with all logits stored, as many rows at a time as one binding holds. */
function storedLogProb({ model, projection }: Captures, x: Tensor, target: number): Tensor {
  const { gpu, config: { dModel, vocab } } = model;
  const { stream } = gpu;
  const rows = x.length / dModel;
  const most = Math.floor(gpu.limits.maxStorageBufferBindingSize / (4 * vocab));
  const out = gpu.tensor([rows], "log-probabilities");
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    using part = gpu.tensor([count, dModel], "projected rows");
    stream.copy(x, part, { from: first * dModel, elements: part.length });
    using logits = projection.logits(part);
    using token = model.uploadIndex(new Array<number>(count).fill(target), "target");
    const entropy = crossEntropy(stream, { logits, target: token });
    stream.copy(entropy.logProb, out, { to: first });
    for (const tensor of Object.values(entropy)) tensor.dispose();
  }
  return out;
}

/**
 * The published algorithm (Yu and Ananiadou 2024), batched by layer: one forward pass, then for each layer the product of
 * all its neurons with the vocabulary, softmax, and the increase of the target's log-probability over the layer's base.
 *
 * @param options `readEach`: whether the scores of each layer are read back before the next, as the published loop does,
 * else all together; `layers`: those that are scored. Default: all.
 */
export async function rankByLayers(
  model: Model,
  ids: readonly number[],
  target: number,
  options: { readEach: boolean; layers?: readonly number[] },
): Promise<Scored[]> {
  const { gpu, config: { nLayers, dMlp, dModel } } = model;
  const layers = options.layers ?? Array.from({ length: nLayers }, (_, layer) => layer);
  using captures = new Captures(model, ids);
  using base = gpu.tensor([nLayers, dModel], "residuals after attention");
  gpu.stream.copy(captures.bases, base, { from: nLayers * dModel, elements: nLayers * dModel });
  using baseLogProb = captures.projection.logProb(base, target);
  using scores = gpu.tensor([layers.length * dMlp], "scores");
  const index = Array.from({ length: dMlp }, (_, i) => i);
  for (const [place, layer] of layers.entries()) {
    using x = writtenVectors(model, [{ weight: `blocks.${layer}.mlp.W_out`, index }]);
    using slot = model.uploadIndex(new Array<number>(dMlp).fill(nLayers + layer), "bases");
    using factor = gpu.tensor([dMlp], "coefficients");
    gpu.stream.copy(captures.coefficients, factor, { from: layer * dMlp, elements: dMlp });
    using sums = addScaledRows(gpu.stream, { x, base: captures.bases, slot, factor });
    using logProb = storedLogProb(captures, sums, target);
    gpu.stream.copy(logProb, scores, { to: place * dMlp });
    if (options.readEach) await gpu.stream.read(logProb);
  }
  const [found, bases] = await gpu.stream.read(scores, baseLogProb);
  return ranked(Array.from(found, (x, i) => {
    const layer = layers[Math.floor(i / dMlp)]!;
    return { index: layer * dMlp + i % dMlp, score: x - bases[layer]! };
  }));
}

/** The best of all scores, in order. */
function ranked(scores: Scored[]): Scored[] {
  return scores
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, TOP);
}

/** Certified: bounds for all neurons, exact scores until the best are certain. */
export async function rankCertified(
  model: Model,
  ids: readonly number[],
  target: number,
): Promise<{ neurons: Scored[]; evaluated: number; candidates: number }> {
  using prompt = await ScoredPrompt.open(model, ids, target);
  const { neurons, evaluated, candidates } = await rankFfnNeurons(prompt, { top: TOP });
  const { dMlp } = model.config;
  return {
    neurons: neurons.map(({ layer, neuron, score }) => ({ index: layer * dMlp + neuron, score })),
    evaluated,
    candidates,
  };
}

/** Scores of all neurons [nLayers, dMlp], by the fused kernel that stores no logits. */
export async function fusedScores(model: Model, ids: readonly number[], target: number): Promise<Float64Array> {
  using prompt = await ScoredPrompt.open(model, ids, target);
  return await ffnNeuronScores(prompt);
}

/** The best of all scores, or of those of some layers. */
export function rankScores(scores: Float64Array, dMlp: number, layers?: readonly number[]): Scored[] {
  const all = Array.from(scores, (score, index) => ({ index, score }));
  return ranked(layers ? all.filter(({ index }) => layers.includes(Math.floor(index / dMlp))) : all);
}

/**
 * Checks that two rankings agree: score for score, as neurons of nearly equal scores may change places.
 *
 * @throws {Error} If a score is off by more than rounding of log-probabilities allows.
 */
export function checkRanking(found: readonly Scored[], want: readonly Scored[]): void {
  if (found.length !== want.length) throw new Error(`Got ${found.length} neurons, wanted ${want.length}`);
  found.forEach(({ score, index }, place) => {
    // Differences of log-probabilities of size about 10, each summed in f32.
    if (!(Math.abs(score - want[place]!.score) <= 1e-4)) {
      throw new Error(`Neuron ${index} at place ${place} has score ${score}, wanted ${want[place]!.score}`);
    }
  });
}

/** Measures the certified top 100 of all MLP neurons, from the tokens to the sorted list. */
export async function neuronsBench(context: BenchContext): Promise<Comparison[]> {
  const { gpu, rounds } = context;
  context.onStage("certified neurons against all neurons by layer");
  using model = await loadModel(gpu, context.modelDir);
  const ids = model.tokens(PROMPT);
  const target = (await nextTokens(model, ids, 1))[0]!.id;
  const rankFused = async (): Promise<Scored[]> => rankScores(await fusedScores(model, ids, target), model.config.dMlp);
  const certified = await rankCertified(model, ids, target);
  const wanted = await rankByLayers(model, ids, target, { readEach: false });
  checkRanking(certified.neurons, wanted);
  checkRanking(await rankFused(), wanted);
  const [ours, published, together, fused] = await race([
    awaited("certified", () => rankCertified(model, ids, target)),
    awaited("by layer", () => rankByLayers(model, ids, target, { readEach: true })),
    awaited("by layer, one read-back", () => rankByLayers(model, ids, target, { readEach: false })),
    awaited("all, fused", rankFused),
  ], { rounds }) as [Timing, Timing, Timing, Timing];
  const { evaluated, candidates } = certified;
  const common = {
    bench: "neurons",
    what: `certified top ${TOP} of ${candidates} MLP neurons, forward pass included`,
    ours: `${ours.bestMs.toPrecision(3)} ms, ${evaluated} neurons scored`,
    unit: "x",
  } as const;
  return [
    {
      ...common,
      against: `published algorithm batched by layer: ${published.bestMs.toPrecision(3)} ms`,
      value: published.bestMs / ours.bestMs,
      goal: { side: "at least", value: 3 },
    },
    {
      ...common,
      against: `the same with one read-back for all layers: ${together.bestMs.toPrecision(3)} ms`,
      value: together.bestMs / ours.bestMs,
    },
    {
      bench: "neurons",
      what: `scores of all ${candidates} MLP neurons without storing logits, forward pass included`,
      ours: `${fused.bestMs.toPrecision(3)} ms`,
      unit: "x",
      against: `logits of a layer stored, one read-back for all layers: ${together.bestMs.toPrecision(3)} ms`,
      value: together.bestMs / fused.bestMs,
    },
  ];
}
