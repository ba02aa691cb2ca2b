/**
 * Float64 twins of value and query scores (Yu and Ananiadou 2024), every neuron scored through the whole vocabulary.
 *
 * @module
 */
import { siluGatedSlopes } from "./activations.ts";
import { rowStatistics } from "./norms.ts";
import { dot, runTwin, sum, type TwinModel, type TwinTrace } from "./sequential_model.ts";
import { logSoftmaxRow } from "./softmax.ts";
import { frozenNorm } from "./sub_values.ts";

/** A scored neuron: what it adds to which residual, and the sub-key by which it reads. */
export interface TwinNeuron {
  layer: number;
  /** Column of the output matrix of MLP or attention. */
  column: number;
  /** Position it reads: the last one for MLP neurons. */
  source: number;
  score: number;
  subKey: Float64Array;
}

/** Scores of a prompt at its last position. */
export interface TwinScores {
  /** By layer. */
  layers: { attn: number[]; ffn: number[] };
  /** [nLayers, dMlp]. */
  ffn: TwinNeuron[];
  /** [nLayers, nHeads, dHead, source positions]. */
  attn: TwinNeuron[];
  /** Components of the residual by layer at a position: embedding, then attention and MLP of each layer. */
  components: (source: number) => Float64Array[];
  traces: TwinTrace[];
}

/** Column of a matrix that is held by its rows. */
function columnOf(rows: readonly Float64Array[], column: number): Float64Array {
  return Float64Array.from(rows, (row) => row[column]!);
}

/** Scores every layer and neuron of a prompt for a target. */
export function scoreTwin(model: TwinModel, ids: readonly number[], target: number): TwinScores {
  const { traces, last } = runTwin(model, ids);
  const { nHeads, nKvHeads, dHead } = model;
  const at = ids.length - 1;
  const centre = model.lnFinal.bias !== null;
  const { scale } = rowStatistics(last[at]!, model.eps, centre);
  const logProb = (x: Float64Array): number => {
    const read = frozenNorm(x, model.lnFinal.weight, scale, centre, false);
    return logSoftmaxRow(Float64Array.from(model.embed, (row) => dot(row, read)))[target]!;
  };
  const scores: TwinScores = {
    layers: { attn: [], ffn: [] },
    ffn: [],
    attn: [],
    traces,
    components: (source) => [
      traces[0]!.pre[source]!,
      ...traces.flatMap(({ attnOut, mlpOut }) => [attnOut[source]!, mlpOut[source]!]),
    ],
  };
  traces.forEach(({ pre, v, pattern, attnOut, gate, up, post, mlpOut }, layer) => {
    const block = model.blocks[layer]!;
    const before = pre[at]!;
    const middle = sum(before, attnOut[at]!);
    const [atBefore, atMiddle] = [logProb(before), logProb(middle)];
    scores.layers.attn.push(atMiddle - atBefore);
    scores.layers.ffn.push(logProb(sum(middle, mlpOut[at]!)) - atMiddle);
    post[at]!.forEach((coefficient, column) => {
      const added = sum(middle, columnOf(block.down.rows, column), coefficient);
      let input = block.up.rows[column]!;
      if (gate) {
        const [byGate, byUp] = siluGatedSlopes(gate[at]![column]!, up[at]![column]!);
        input = block.gate!.rows[column]!.map((g, i) => byGate * g + byUp * input[i]!);
      }
      const subKey = input.map((x, i) => x * block.ln2.weight[i]!);
      scores.ffn.push({ layer, column, source: at, score: logProb(added) - atMiddle, subKey });
    });
    for (let column = 0; column < nHeads * dHead; column++) {
      const head = Math.floor(column / dHead);
      const value = Math.floor(head / (nHeads / nKvHeads)) * dHead + column % dHead;
      const subKey = block.v.rows[value]!.map((x, i) => x * block.ln1.weight[i]!);
      for (let source = 0; source <= at; source++) {
        const coefficient = pattern[(head * ids.length + at) * ids.length + source]! * v[source]![value]!;
        const added = sum(before, columnOf(block.o.rows, column), coefficient);
        scores.attn.push({ layer, column, source, score: logProb(added) - atBefore, subKey });
      }
    }
  });
  return scores;
}

/** Shares of the components before a neuron in its score, [1 + 2 nLayers]; an MLP neuron reads its own attention too. */
export function sharesTwin(scores: TwinScores, neuron: TwinNeuron, kind: "ffn" | "attn"): Float64Array {
  const components = scores.components(neuron.source);
  const seen = 1 + 2 * neuron.layer + (kind === "ffn" ? 1 : 0);
  const products = components.slice(0, seen).map((component) => dot(component, neuron.subKey));
  const total = products.reduce((all, x) => all + x, 0);
  return Float64Array.from(components, (_, i) => neuron.score * (products[i] ?? 0) / total);
}

/** Query scores of MLP neurons below attention neurons, [nLayers, dMlp]. */
export function queryTwin(model: TwinModel, scores: TwinScores, neurons: readonly TwinNeuron[]): Float64Array {
  const dMlp = scores.ffn.length / model.blocks.length;
  return Float64Array.from(scores.ffn, ({ layer, column }, at) => {
    if (at !== layer * dMlp + column) throw new Error("neurons are out of order");
    return neurons.filter((neuron) => neuron.layer > layer).reduce((total, { layer: above, source, score, subKey }) => {
      const share = scores.traces[layer]!.post[source]![column]! *
        dot(columnOf(model.blocks[layer]!.down.rows, column), subKey);
      return total + score * share / dot(scores.traces[above]!.pre[source]!, subKey);
    }, 0);
  });
}
