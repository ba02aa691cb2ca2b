/**
 * How much GPU memory an edit takes beyond its model, from the sizes of its work alone.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { factorBytes } from "../linalg/cholesky_gpu.ts";
import type { ModelConfig } from "../model/architectures.ts";
import { modelBatches } from "../model/capture.ts";
import { activationBytes, cacheBytes } from "../model/memory.ts";
import type { Model } from "../model/model.ts";
import type { ForcedRow } from "../model/teacher_forcing.ts";
import { factorsOnGpu } from "./write_metric.ts";

/** One search of an edit: its rows, and the prompts whose keys are kept. */
export interface PlannedSearch {
  /** Prompts with their targets. */
  rows: ForcedRow[];
  /** Lengths in tokens of the prompts that are kept. */
  kept: number[];
}

/** The stage of an edit that takes most, and what it takes beyond the model. */
export interface EditMemory {
  /** What is done then. */
  stage: string;
  /** Bytes on the GPU. */
  bytes: number;
}

/** Numbers and offsets are f32. */
const F32 = Float32Array.BYTES_PER_ELEMENT;

/** Vectors as wide as the residual stream, and as the MLP, that a search keeps for each token and layer that it repeats. */
const KEPT_WIDTHS = { dModel: 10, dMlp: 3 };

/** Bytes above which a device tells no limit of its memory. */
const NO_LIMIT = 2 ** 50;

/** Bytes that tensors may still take; null if the device tells no limit and none was set. */
export function availableBytes(gpu: Gpu): number | null {
  return gpu.availableBytes > NO_LIMIT ? null : gpu.availableBytes;
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
 * @param lengths Tokens of each document.
 */
export function momentMemory(model: Model, layers: number, lengths: readonly number[]): EditMemory {
  const { config } = model;
  const tokens = largestBatch(model, lengths);
  const sums = layers * F32 * config.dMlp ** 2;
  const keys = 2 * layers * F32 * tokens * config.dMlp;
  return {
    stage: `counting second moments of ${plural(layers, "layer")}`,
    bytes: sums + keys + passBytes(config, tokens),
  };
}

/**
 * What the search of an edit and its writes take, whichever is more.
 *
 * @param layers Layers that are written, ascending.
 * @param searches Searches, one after the other.
 */
export function searchMemory(model: Model, layers: readonly number[], searches: readonly PlannedSearch[]): EditMemory {
  const { config, gpu } = model;
  const { nLayers, dModel, dMlp, vocab } = config;
  const written = F32 * layers.length * dModel * dMlp;
  const above = nLayers - (layers[0] ?? nLayers);
  const stages = searches.flatMap(({ rows, kept }): EditMemory[] => {
    const lengths = rows.map(({ prompt, target }) => prompt.length + target.length - 1);
    const tokens = rows.length * Math.max(0, ...lengths);
    const labels = rows.reduce((sum, { target }) => sum + target.length, 0);
    const repeated = F32 * tokens * above * (KEPT_WIDTHS.dModel * dModel + KEPT_WIDTHS.dMlp * dMlp);
    const keyTokens = largestBatch(model, [...lengths, ...kept]);
    const factor = factorsOnGpu(dMlp, gpu.bindingBytes) ? factorBytes(dMlp) : 0;
    const keys = F32 * (rows.length + kept.length) * (dMlp + dModel);
    return [
      {
        stage: `the search over ${plural(rows.length, "prompt")} of up to ${Math.max(0, ...lengths)} tokens`,
        bytes: written + repeated + cacheBytes(config, tokens) + 2 * F32 * labels * vocab + passBytes(config, tokens),
      },
      {
        stage: `the write of ${plural(layers.length, "layer")}`,
        bytes: written + Math.max(keys + passBytes(config, keyTokens), factor),
      },
    ];
  });
  return stages.reduce(larger, { stage: "the search", bytes: 0 });
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
    `Cannot start ${stage}: it takes ${bytes} bytes on the GPU beyond the model, and ${available} are available on ` +
      `${gpu.adapterName}. Edit fewer layers, use fewer or shorter prompts, or allow more memory (--max-memory)`,
  );
}

/** Activations of a forward pass over `tokens` tokens that gives no logits. */
function passBytes(config: ModelConfig, tokens: number): number {
  return activationBytes(config, tokens, 0);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
