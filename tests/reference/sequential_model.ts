/**
 * Float64 twin of a whole model whose blocks are sequential and whose rotary halves turn: norm, attention, norm, MLP.
 *
 * @module
 */
import { gelu, siluGated } from "./activations.ts";
import { attentionTwin } from "./attention.ts";
import { normRow } from "./norms.ts";
import { rotateHead } from "./rotary.ts";

/** A matrix by its outputs, and their biases if it has any. */
export interface TwinLinear {
  rows: Float64Array[];
  bias: Float64Array | null;
}

/** A norm: with a bias a layer norm, without an RMS norm. */
export interface TwinNorm {
  weight: Float64Array;
  bias: Float64Array | null;
}

/** One block. */
export interface TwinBlock {
  ln1: TwinNorm;
  q: TwinLinear;
  k: TwinLinear;
  v: TwinLinear;
  o: TwinLinear;
  ln2: TwinNorm;
  /** Null where the MLP has no gate; its activation is then the exact GELU. */
  gate: TwinLinear | null;
  up: TwinLinear;
  down: TwinLinear;
}

/** A model; embedding and vocabulary projection are one matrix. */
export interface TwinModel {
  nHeads: number;
  nKvHeads: number;
  dHead: number;
  eps: number;
  /** Angles a position, [dims / 2]. */
  frequencies: Float64Array;
  embed: Float64Array[];
  blocks: TwinBlock[];
  lnFinal: TwinNorm;
}

/** What a block computed, by position. */
export interface TwinTrace {
  /** Residual before the block. */
  pre: Float64Array[];
  /** Values, [pos][nKvHeads * dHead]. */
  v: Float64Array[];
  /** [nHeads, pos, pos]. */
  pattern: Float64Array;
  attnOut: Float64Array[];
  /** Input of the activation with a gate, else null. */
  gate: Float64Array[] | null;
  up: Float64Array[];
  /** Neurons. */
  post: Float64Array[];
  mlpOut: Float64Array[];
}

/** Product of two vectors. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Sum of two vectors, the second times a factor. */
export function sum(a: Float64Array, b: Float64Array, factor = 1): Float64Array {
  return a.map((x, i) => x + factor * b[i]!);
}

function apply({ rows, bias }: TwinLinear, x: Float64Array): Float64Array {
  return Float64Array.from(rows, (row, i) => dot(row, x) + (bias?.[i] ?? 0));
}

/**
 * Runs the model.
 *
 * @param zeroed MLP neurons that give nothing, at all positions.
 * @returns What every block computed, residuals after the last one, and the logits of the last position.
 */
export function runTwin(
  model: TwinModel,
  ids: readonly number[],
  zeroed: readonly { layer: number; neuron: number }[] = [],
): { traces: TwinTrace[]; last: Float64Array[]; logits: Float64Array } {
  const { eps, dHead, nHeads, nKvHeads } = model;
  const norm = ({ weight, bias }: TwinNorm, x: Float64Array): Float64Array => normRow(x, weight, bias, eps);
  const turn = (x: Float64Array, position: number): number[] => {
    const cosSin = [...model.frequencies].flatMap((f) => [Math.cos(position * f), Math.sin(position * f)]);
    const heads = Array.from({ length: x.length / dHead }, (_, h) => x.subarray(h * dHead, (h + 1) * dHead));
    return heads.flatMap((head) => [...rotateHead(head, cosSin, "halves", false)]);
  };
  let x = ids.map((id) => model.embed[id]!);
  const traces = model.blocks.map((block, layer): TwinTrace => {
    const pre = x;
    const read = pre.map((row) => norm(block.ln1, row));
    const v = read.map((row) => apply(block.v, row));
    const { pattern, z } = attentionTwin({
      batch: 1,
      queries: ids.length,
      keys: ids.length,
      nHeads,
      nKvHeads,
      dHead,
      scale: 1 / Math.sqrt(dHead),
      q: read.flatMap((row, t) => turn(apply(block.q, row), t)),
      k: read.flatMap((row, t) => turn(apply(block.k, row), t)),
      v: v.flatMap((row) => [...row]),
      start: [0],
      length: [ids.length],
    });
    const width = nHeads * dHead;
    const attnOut = pre.map((_, t) => apply(block.o, z.subarray(t * width, (t + 1) * width)));
    const middle = pre.map((row, t) => sum(row, attnOut[t]!));
    const input = middle.map((row) => norm(block.ln2, row));
    const gate = block.gate && input.map((row) => apply(block.gate!, row));
    const up = input.map((row) => apply(block.up, row));
    const post = up.map((row, t) => row.map((u, k) => gate ? siluGated(gate[t]![k]!, u) : gelu(u, "exact")));
    for (const { neuron } of zeroed.filter((one) => one.layer === layer)) post.forEach((row) => row[neuron] = 0);
    const mlpOut = post.map((row) => apply(block.down, row));
    x = middle.map((row, t) => sum(row, mlpOut[t]!));
    return { pre, v, pattern, attnOut, gate, up, post, mlpOut };
  });
  const read = norm(model.lnFinal, x.at(-1)!);
  return { traces, last: x, logits: Float64Array.from(model.embed, (row) => dot(row, read)) };
}
