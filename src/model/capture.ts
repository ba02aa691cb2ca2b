import { gatherRows } from "../../kernels/gather_rows.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { residual } from "./forward.ts";
import { Taps, Temps } from "./hooks.ts";
import type { Model } from "./model.ts";

/** Positions of one sequence whose activations are wanted. */
export interface PositionsOf {
  /** Token ids. */
  ids: readonly number[];
  /** Positions, any number, in the order in which rows come out. */
  positions: readonly number[];
}

/** Padded tokens of one batch; keeps memory and the length of one submit bounded. */
export const BATCH_TOKENS = 4096;

/** A batch of this many tokens keeps a device busy; a larger one takes no longer sequences that would pad the others. */
const ENOUGH_TOKENS = 256;

/** Padded tokens over real ones, up to which a batch of enough tokens goes on. */
const MOST_PADDING = 1.15;

/**
 * Splits sequences into batches of similar length with at most `maxTokens` padded tokens each, and little padding where
 * there are enough of them.
 *
 * @returns Indices into `lengths`, batch by batch.
 */
export function batchesByLength(lengths: readonly number[], maxTokens: number = BATCH_TOKENS): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  let current: number[] = [];
  let tokens = 0;
  for (const i of order) {
    const padded = (current.length + 1) * lengths[i]!;
    const wasteful = tokens >= ENOUGH_TOKENS && padded > MOST_PADDING * (tokens + lengths[i]!);
    if (current.length > 0 && (padded > maxTokens || wasteful)) {
      batches.push(current);
      current = [];
      tokens = 0;
    }
    current.push(i);
    tokens += lengths[i]!;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/**
 * Splits sequences that a model shall run on as {@linkcode batchesByLength} does, into batches whose widest activation one
 * binding holds.
 */
export function modelBatches({ gpu, config }: Model, lengths: readonly number[]): number[][] {
  const { dModel, dMlp, nHeads, dHead } = config;
  const widest = Float32Array.BYTES_PER_ELEMENT * Math.max(dModel, dMlp, nHeads * dHead);
  return batchesByLength(lengths, Math.min(BATCH_TOKENS, Math.floor(gpu.bindingBytes / widest)));
}

/** Block of a hook name such as `blocks.3.mlp.hook_post`. */
export function layerOfHook(name: string): number {
  const layer = Number(/^blocks\.(\d+)\./.exec(name)?.[1]);
  if (!Number.isInteger(layer)) throw new TypeError(`Cannot find the block of hook "${name}": wanted blocks.N.…`);
  return layer;
}

/**
 * Activations of several hooks at chosen positions of many sequences; the forward pass stops at the deepest hook's block.
 *
 * @returns One array a hook, [rows, width] row-major, rows in the order of sequences and their positions.
 */
export async function captureRows(
  model: Model,
  sequences: readonly PositionsOf[],
  hooks: readonly string[],
): Promise<Float32Array[]> {
  const deepest = Math.max(...hooks.map(layerOfHook));
  const parts: { tensors: Tensor[]; rows: number[] }[] = [];
  const firstRow: number[] = [];
  let total = 0;
  for (const { positions } of sequences) {
    firstRow.push(total);
    total += positions.length;
  }
  try {
    for (const batch of modelBatches(model, sequences.map((s) => s.ids.length))) {
      const ids = batch.map((i) => sequences[i]!.ids);
      using rows = model.rowsFor(ids);
      using input = model.uploadIds(ids, rows.queries);
      const index = batch.flatMap((i, b) => sequences[i]!.positions.map((p) => b * rows.queries + p));
      if (index.length === 0) continue;
      using at = model.uploadIndex(index, "captured rows");
      using taps = new Taps(model.gpu.stream, { keep: hooks });
      using temps = new Temps();
      temps.add(residual(model.pass(rows, { taps }), input, deepest + 1));
      const kept = taps.finish();
      const tensors: Tensor[] = [];
      parts.push({ tensors, rows: batch.flatMap((i) => sequences[i]!.positions.map((_, j) => firstRow[i]! + j)) });
      for (const hook of hooks) {
        const { tensor } = kept.get(hook)!;
        const flat = tensor.view([rows.batch * rows.queries, tensor.length / (rows.batch * rows.queries)]);
        tensors.push(gatherRows(model.gpu.stream, { x: flat, index: at }));
      }
      model.gpu.stream.submit();
    }
    const arrays = await model.gpu.stream.read(...parts.flatMap((part) => part.tensors));
    return hooks.map((_, h) => {
      const width = parts.length > 0 ? parts[0]!.tensors[h]!.shape[1]! : 0;
      const out = new Float32Array(total * width);
      parts.forEach((part, p) => {
        const values = arrays[p * hooks.length + h] as Float32Array;
        part.rows.forEach((row, i) => out.set(values.subarray(i * width, (i + 1) * width), row * width));
      });
      return out;
    });
  } finally {
    for (const part of parts) for (const tensor of part.tensors) tensor.dispose();
  }
}
