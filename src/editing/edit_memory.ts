/**
 * How much GPU memory an edit takes beyond its model, from the sizes of its work alone: bounds from above, since what is
 * alive at the peak of a stage is summed as if all its parts peaked together.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { factorBytes } from "../linalg/cholesky_gpu.ts";
import type { ModelConfig } from "../model/architectures.ts";
import { modelBatches } from "../model/capture.ts";
import { activationBytes, cacheBytes } from "../model/memory.ts";
import type { Model } from "../model/model.ts";
import { MOMENT_GROUP } from "./moments_file.ts";
import type { PlannedRow, PlannedSearches } from "./planned_searches.ts";
import { factorsOnGpu } from "./write_metric.ts";

/** The stage of an edit that takes most, and what it takes beyond the model. */
export interface EditMemory {
  /** What is done then. */
  stage: string;
  /** Bytes on the GPU. */
  bytes: number;
}

/** Numbers and offsets are f32. */
const F32 = Float32Array.BYTES_PER_ELEMENT;

/** What the pool rounds a buffer of more than 1 MiB up by at most; smaller ones are rounded up by up to a half. */
const ROUNDING = 9 / 8;

/** Room for small buffers: indices, lengths, logs, and what those below 1 MiB are rounded up by. */
const SMALL = 2 ** 18;

/** Bytes above which a device tells no limit of its memory. */
const NO_LIMIT = 2 ** 50;

/** Bytes that tensors may still take; null if the device tells no limit and none was set. */
export function availableBytes(gpu: Gpu): number | null {
  return gpu.availableBytes > NO_LIMIT ? null : gpu.availableBytes;
}

/** What buffers of these bytes in all take from the pool at most. */
function takenBy(bytes: number): number {
  return SMALL + Math.ceil(ROUNDING * bytes);
}

/** Tokens of the largest batch of sequences of these lengths, with padding. */
function largestBatch(model: Model, lengths: readonly number[]): number {
  const tokens = modelBatches(model, lengths).map((batch) => batch.length * Math.max(...batch.map((i) => lengths[i]!)));
  return Math.max(0, ...tokens);
}

/**
 * What counting second moments takes.
 *
 * @param layers Number of layers that are counted together.
 * @param lengths Tokens of each document, in the order in which they are counted.
 */
export function momentMemory(model: Model, layers: number, lengths: readonly number[]): EditMemory {
  const { config } = model;
  let tokens = 0;
  for (let at = 0; at < lengths.length; at += MOMENT_GROUP) {
    tokens = Math.max(tokens, largestBatch(model, lengths.slice(at, at + MOMENT_GROUP)));
  }
  const sums = layers * F32 * config.dMlp ** 2;
  // Keys of every position until the pass ends, and those of real ones beside them.
  const keys = 2 * layers * F32 * tokens * config.dMlp;
  return {
    stage: `counting second moments of ${plural(layers, "layer")}`,
    bytes: takenBy(sums + keys + passBytes(config, tokens)),
  };
}

/**
 * What the searches of an edit and its writes take, whichever is more.
 *
 * @param layers Layers that are written.
 * @param planned Searches and the writes after them, in order; at least one.
 */
export function searchMemory(
  model: Model,
  layers: readonly number[],
  planned: readonly PlannedSearches[],
): EditMemory {
  const stages = planned.flatMap((part) => [
    ...part.searches.map((rows) => ({
      stage: `the search over ${plural(rows.length, "prompt")} of up to ${Math.max(...lengthsOf(rows))} tokens`,
      bytes: takenBy(part.writtenBefore * writtenBytes(model.config) + searchBytes(model.config, rows, part)),
    })),
    {
      stage: `the write of ${plural(layers.length, "layer")}`,
      // The weight of the layer at hand is there before and after.
      bytes: takenBy((layers.length + 1) * writtenBytes(model.config) + writeBytes(model, part)),
    },
  ]);
  return stages.reduce(larger);
}

/** Tokens of each prompt with its target's but the last. */
function lengthsOf(rows: readonly PlannedRow[]): number[] {
  return rows.map(({ prompt, target }) => prompt.length + target.length - 1);
}

/** What one search takes: the pass over whole prompts before its first step, or a step, whichever is more. */
function searchBytes(config: ModelConfig, rows: readonly PlannedRow[], part: PlannedSearches): number {
  const { nLayers, nHeads, nKvHeads, dModel, dMlp, dHead, vocab, parallel } = config;
  const { keptPredictions } = part;
  const batch = rows.length + keptPredictions;
  const lengths = lengthsOf(rows);
  const queries = Math.max(...rows.map(({ first }, i) => lengths[i]! - first));
  const keys = Math.max(...rows.map(({ first }) => first)) + queries;
  const above = nLayers - 1 - part.layer;
  const whole = batch * Math.max(...lengths);
  const cone = batch * queries;
  const caches = cacheBytes({ ...config, nLayers: above }, batch * keys);
  // Of each block its input and its gradient, queries before and after they are turned, what attention gives, and the
  // MLP before its activation; of the changed layer itself the second half.
  const attention = (3 * nHeads + 2 * nKvHeads) * dHead + nHeads;
  const tape = F32 * cone * (above + 1) * ((parallel ? 2 : 3) * dModel + attention + 2 * dMlp);
  const labels = rows.reduce((sum, { target }) => sum + target.length, keptPredictions);
  const logits = F32 * vocab * (2 * labels + 4 * keptPredictions);
  const step = F32 * cone * 4 * dModel + tape + logits + passBytes(config, cone);
  // Residual before and after the attention of the changed layer, outputs of two sites, and the last residual; predictions
  // to keep are made beside them.
  const unchanged = F32 * whole * 5 * dModel;
  const opening = unchanged + Math.max(passBytes(config, whole), keptPredictions > 0 ? step : 0);
  return caches + Math.max(opening, step);
}

/** What writes take beyond changed weights: keys that are read, or the factor of a metric. */
function writeBytes(model: Model, { searches, kept }: PlannedSearches): number {
  const { config, gpu } = model;
  const { dMlp, dModel } = config;
  const rows = searches.flat();
  const keys = rows.reduce((sum, { target }) => sum + target.length, 0);
  const keptKeys = kept.reduce((sum, one) => sum + one.keys, 0);
  const tokens = largestBatch(model, [...lengthsOf(rows), ...kept.map((one) => one.tokens)]);
  const capture = F32 * (keys + keptKeys + tokens) * (dMlp + dModel) + passBytes(config, tokens);
  return Math.max(capture, factorsOnGpu(dMlp, gpu.bindingBytes) ? factorBytes(dMlp) : 0);
}

/** A changed MLP output matrix, which is f32 whatever the model is stored as. */
function writtenBytes({ dModel, dMlp }: ModelConfig): number {
  return F32 * dModel * dMlp;
}

/** The one of two stages that takes more. */
export function larger(a: EditMemory, b: EditMemory): EditMemory {
  return b.bytes > a.bytes ? b : a;
}

/**
 * Passes a stage that fits beside the model.
 *
 * @throws {RangeError} If the device tells how much memory is left, or a limit was set, and it does not suffice.
 */
export function checkEditMemory(gpu: Gpu, { stage, bytes }: EditMemory): void {
  const available = availableBytes(gpu);
  if (available === null || bytes <= available) return;
  throw new RangeError(
    `Cannot start ${stage}: it takes up to ${bytes} bytes on the GPU beyond the model, and ${available} are available ` +
      `on ${gpu.adapterName}. Edit fewer layers, use fewer or shorter prompts, or allow more memory (--max-memory)`,
  );
}

/** Activations of a forward pass over `tokens` tokens that gives no logits. */
function passBytes(config: ModelConfig, tokens: number): number {
  return activationBytes(config, tokens, 0);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
