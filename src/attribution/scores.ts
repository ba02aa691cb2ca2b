/**
 * Value scores: by how much layers, heads and head positions raise the frozen log-probability of the target at the query
 * position (Yu and Ananiadou 2024), and their upper bounds.
 *
 * @module
 */
import { addScaledRows } from "../../kernels/add_scaled_rows.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { Temps } from "../model/hooks.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import { withoutBias } from "./weight_vectors.ts";

/** One value a layer for its attention and its MLP. */
export interface LayerValues {
  /** Attention outputs. */
  readonly attn: readonly number[];
  /** MLP outputs. */
  readonly ffn: readonly number[];
}

/** Increase of the target's log-probability by each layer's attention and MLP output, biases included. */
export function layerScores(prompt: ScoredPrompt): LayerValues {
  const { nLayers } = prompt.model.config;
  const lp = prompt.host.baseLogProb;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  return {
    attn: layers.map((layer) => lp[nLayers + layer]! - lp[layer]!),
    ffn: layers.map((layer) => lp[layer + 1 === nLayers ? 2 * nLayers : layer + 1]! - lp[nLayers + layer]!),
  };
}

/** Upper bounds of {@linkcode layerScores}. */
export function layerBounds(prompt: ScoredPrompt): LayerValues {
  const { nLayers, dModel } = prompt.model.config;
  const { outputs, gradient } = prompt.host;
  // Outputs and gradients come in the same order: attention with x_l, then MLP with r_l.
  const bound = (row: number): number => {
    let sum = 0;
    for (let i = row * dModel; i < (row + 1) * dModel; i++) sum += outputs[i]! * gradient[i]!;
    return sum;
  };
  return {
    attn: Array.from({ length: nLayers }, (_, layer) => bound(layer)),
    ffn: Array.from({ length: nLayers }, (_, layer) => bound(nLayers + layer)),
  };
}

/**
 * Increase by each query head's output through its part of `W_O`.
 *
 * @returns [nLayers, nHeads].
 */
export async function headScores(prompt: ScoredPrompt): Promise<Float64Array> {
  const { nHeads } = prompt.model.config;
  return await pieceScores(prompt, nHeads, (layer, head, dim) => headOutput(prompt, layer, head, dim), (row) => row);
}

/**
 * Increase by what each query head brings from each source position.
 *
 * @returns [nLayers, nHeads, pos].
 */
export async function headPositionScores(prompt: ScoredPrompt): Promise<Float64Array> {
  const { pos, model: { config: { nHeads } } } = prompt;
  return await pieceScores(
    prompt,
    nHeads * pos,
    (layer, row, dim) => prompt.attnCoefficient(layer, Math.floor(row / pos), dim, row % pos),
    (row) => Math.floor(row / pos),
  );
}

/** Upper bounds of {@linkcode headScores}, [nLayers, nHeads]. */
export function headBounds(prompt: ScoredPrompt): Float64Array {
  const positions = headPositionBounds(prompt);
  return Float64Array.from(
    { length: positions.length / prompt.pos },
    (_, row) => positions.subarray(row * prompt.pos, (row + 1) * prompt.pos).reduce((sum, v) => sum + v, 0),
  );
}

/** Upper bounds of {@linkcode headPositionScores}, [nLayers, nHeads, pos]. */
export function headPositionBounds(prompt: ScoredPrompt): Float64Array {
  const { pos, host, model: { config: { nLayers, nHeads, dHead } } } = prompt;
  return Float64Array.from({ length: nLayers * nHeads * pos }, (_, at) => {
    const row = Math.floor(at / pos);
    const [layer, head] = [Math.floor(row / nHeads), row % nHeads];
    let sum = 0;
    for (let dim = 0; dim < dHead; dim++) {
      const slope = host.attnSlopes[layer]![head * dHead + dim]!;
      sum += prompt.attnCoefficient(layer, head, dim, at % pos) * slope;
    }
    return sum;
  });
}

/** One feature of a head's output at the query position: attention times values, summed over source positions. */
function headOutput(prompt: ScoredPrompt, layer: number, head: number, dim: number): number {
  let sum = 0;
  for (let source = 0; source < prompt.pos; source++) sum += prompt.attnCoefficient(layer, head, dim, source);
  return sum;
}

/** Scores of pieces that are rows of head features sent through `W_O`: `rows` a layer, each with one head non-zero. */
async function pieceScores(
  prompt: ScoredPrompt,
  rows: number,
  feature: (layer: number, row: number, dim: number) => number,
  headOf: (row: number) => number,
): Promise<Float64Array> {
  const { captures, host, model } = prompt;
  const { gpu, config: { nLayers, nHeads, dHead } } = model;
  using temps = new Temps();
  const width = nHeads * dHead;
  const found: Tensor[] = [];
  using factor = gpu.upload(new Float32Array(rows).fill(1), [rows], "ones");
  for (let layer = 0; layer < nLayers; layer++) {
    const z = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const start = row * width + headOf(row) * dHead;
      for (let dim = 0; dim < dHead; dim++) z[start + dim] = feature(layer, row, dim);
    }
    using features = gpu.upload(z, [rows, width], "head features");
    using pieces = withoutBias(model, `blocks.${layer}.attn.W_O`, features);
    using slot = model.uploadIndex(new Array<number>(rows).fill(layer), "bases");
    using sums = addScaledRows(gpu.stream, { x: pieces, base: captures.bases, slot, factor });
    found.push(temps.add(captures.projection.logProb(sums, prompt.target)));
  }
  const values = await gpu.stream.read(...found) as Float32Array[];
  return Float64Array.from(values.flatMap((row, layer) => [...row].map((lp) => lp - host.baseLogProb[layer]!)));
}
