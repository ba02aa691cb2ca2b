/**
 * How much memory a model takes, from its config alone: what is compared with the device before anything is loaded.
 *
 * @module
 */
import type { Gpu } from "../gpu/gpu.ts";
import { type Dtype, dtypeBytes } from "../gpu/tensor.ts";
import type { ModelConfig } from "./architectures.ts";
import { namedWeights } from "./named_weights.ts";

/** Activations, keys and values are f32. */
const F32 = 4;

/** Tensors as wide as the residual stream that are alive at once in a block: its input, the sums and what is normed. */
const RESIDUALS = 5;

/** Tokens of a usual prompt with its answer: a model is refused at load if the GPU cannot hold even these. */
export const USUAL_TOKENS = 256;

/** Parameters of one block and of the whole model. */
export function parameterCounts(config: ModelConfig): { block: number; total: number } {
  let block = 0;
  let total = 0;
  for (const { name, shape } of namedWeights(config)) {
    const count = shape.reduce((a, b) => a * b, 1);
    total += count;
    if (name.startsWith("blocks.0.")) block += count;
  }
  return { block, total };
}

/** Weights stored as `dtype`, in bytes. */
export function weightBytes(config: ModelConfig, dtype: Dtype): number {
  return dtypeBytes(dtype, parameterCounts(config).total);
}

/** The weight that takes most, stored as `dtype`. */
export function largestWeight(config: ModelConfig, dtype: Dtype): { name: string; bytes: number } {
  const sizes = namedWeights(config).map(({ name, shape }) => ({
    name,
    bytes: dtypeBytes(dtype, shape.reduce((a, b) => a * b, 1)),
  }));
  return sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
}

/** Keys and values of `tokens` positions in all layers, in bytes. */
export function cacheBytes(config: ModelConfig, tokens: number): number {
  return 2 * F32 * config.nLayers * config.nKvHeads * config.dHead * tokens;
}

/**
 * Activations alive at once in a forward pass that keeps nothing, in bytes.
 *
 * @param tokens Positions that are computed.
 * @param logitRows Positions that are turned into logits.
 */
export function activationBytes(config: ModelConfig, tokens: number, logitRows: number): number {
  const { dModel, dMlp, nHeads, nKvHeads, dHead, vocab } = config;
  const attention = (4 * nHeads + 4 * nKvHeads) * dHead;
  return F32 * (tokens * (RESIDUALS * dModel + Math.max(attention, 3 * dMlp)) + logitRows * vocab);
}

/**
 * Checks that the GPU holds a model with what a prompt of {@linkcode USUAL_TOKENS} tokens needs, or of as many as its
 * context has.
 *
 * @param path Model, as in `Cannot load <path>`.
 * @param weights Bytes that its weights take on the GPU.
 * @throws {RangeError} If it does not; the message names each part.
 */
export function checkMemory(path: string, config: ModelConfig, weights: number, gpu: Gpu): void {
  const tokens = Math.min(USUAL_TOKENS, config.maxPos);
  const cache = cacheBytes(config, tokens);
  const activations = activationBytes(config, tokens, 1);
  const total = weights + cache + activations;
  if (total <= gpu.availableBytes) return;
  throw new RangeError(
    `Cannot load ${path}: it takes ${total} bytes on the GPU (${weights} for weights; for ${tokens} tokens ${cache} for ` +
      `keys and values and ${activations} for activations) and ${gpu.availableBytes} are available on ` +
      `${gpu.adapterName}. Use a smaller model, close others or allow more memory`,
  );
}
