/**
 * What loading and editing a model would take, stage by stage, from its config and measured rates alone.
 *
 * @module
 */
import { PASSES_A_STEP } from "../../editing/edit_estimate.ts";
import { CPU_FACTOR_WIDTH } from "../../editing/write_metric.ts";
import { CAPTURE_BYTES } from "../../editing/write_profile.ts";
import { type Dtype } from "../../gpu/tensor.ts";
import type { ModelConfig } from "../../model/architectures.ts";
import { activationBytes, cacheBytes, parameterCounts, weightBytes } from "../../model/memory.ts";
import type { KernelRates } from "./rates.ts";

/** One stage of an edit in chain mode. */
export interface StageEstimate {
  /** Name of the stage. */
  readonly stage: string;
  /** GPU memory while it runs, beyond the weights (of loading: the weights), in bytes. */
  readonly gpuBytes: number;
  /** Memory of the computer while it runs, in bytes. */
  readonly hostBytes: number;
  /** Time in seconds. */
  readonly seconds: number;
  /** Tensors that a kernel reads or writes whole, so that a binding must hold each. */
  readonly whole: readonly WholeTensor[];
}

/** A tensor that is not read by ranges of rows. */
export interface WholeTensor {
  /** What it is. */
  readonly name: string;
  /** Its size in bytes. */
  readonly bytes: number;
}

/** Sizes of the work, where the model's own tokenizer and facts are not at hand. */
export interface EditSizes {
  /** Tokens of a prompt. */
  promptTokens: number;
  /** Support prompts of the search. */
  supportPrompts: number;
  /** Preserved prompts. */
  preservedPrompts: number;
  /** Most steps of the search. */
  steps: number;
  /** Tokens of text for second moments. */
  momentTokens: number;
  /** Facts over which layers are compared. */
  profiledFacts: number;
  /** Prompts of each of those: support through six heads, and what 15 neighbours keep. */
  profiledPrompts: number;
  /** Share of the layers below the edited one. */
  depth: number;
}

/** Sizes of chain mode with six heads and 35 siblings; the edited layer was 7 of 8 and 27 of 30 where it was measured. */
export const USUAL_SIZES: Readonly<EditSizes> = {
  promptTokens: 16,
  supportPrompts: 14,
  preservedPrompts: 160,
  steps: 60,
  momentTokens: 36_000,
  profiledFacts: 8,
  profiledPrompts: 90,
  depth: 0.9,
};

/** Bytes of float32 and float64. */
const F32 = 4;
const F64 = 8;

/**
 * Estimates every stage of one edit in chain mode.
 *
 * @param dtype How the weights are stored.
 * @param rates Rates of this device.
 * @returns Stages in the order in which they run.
 */
export function estimateStages(
  config: ModelConfig,
  dtype: Dtype,
  rates: KernelRates,
  sizes: EditSizes = USUAL_SIZES,
): StageEstimate[] {
  const { nLayers, dModel, dMlp, vocab } = config;
  const { block } = parameterCounts(config);
  const layer = Math.min(nLayers - 1, Math.round(sizes.depth * nLayers));
  const above = nLayers - layer;
  const matmulSeconds = (operations: number): number => operations / rates.matmulGflops / 1e9;
  const layersSeconds = (tokens: number, layers: number): number => matmulSeconds(2 * tokens * layers * block);
  const logitsSeconds = (rows: number): number => matmulSeconds(2 * rows * vocab * dModel);
  const bases = 2 * nLayers + 1;
  const { promptTokens, supportPrompts, preservedPrompts, steps, momentTokens } = sizes;
  // A pass over the prompts of each fact, and the contrast of its layers: one row of logits before each, and the last.
  const trial = sizes.profiledFacts *
    (layersSeconds((sizes.profiledPrompts + 1) * promptTokens, nLayers) + logitsSeconds(bases));
  const supportTokens = supportPrompts * promptTokens;
  const keyTokens = (supportPrompts + preservedPrompts) * promptTokens;
  const square = dMlp ** 2;
  const moment: WholeTensor = { name: `second moment [${dMlp}, ${dMlp}] in f32`, bytes: F32 * square };
  const edited: WholeTensor = { name: `edited matrix [${dModel}, ${dMlp}] in f32`, bytes: F32 * dModel * dMlp };
  const factored = dMlp > CPU_FACTOR_WIDTH ? [{ ...moment, name: `factor of the ${moment.name}` }] : [];
  return [
    {
      stage: "load",
      gpuBytes: weightBytes(config, dtype),
      hostBytes: 0,
      seconds: weightBytes(config, dtype) / rates.uploadGBs / 1e9,
      whole: [],
    },
    {
      stage: "plan",
      gpuBytes: activationBytes(config, promptTokens, bases) + CAPTURE_BYTES,
      hostBytes: 0,
      seconds: trial,
      whole: [],
    },
    {
      stage: "second moments",
      gpuBytes: activationBytes(config, 1024, 0) + F32 * square,
      hostBytes: 2 * F64 * square,
      seconds: layersSeconds(momentTokens, layer + 1) + 2 * momentTokens * square / rates.rankKGflops / 1e9,
      whole: [moment],
    },
    {
      stage: "search",
      gpuBytes: activationBytes(config, supportTokens, 2 * supportPrompts) * above + cacheBytes(config, supportTokens),
      hostBytes: 0,
      seconds: layersSeconds(supportTokens, layer) +
        steps * PASSES_A_STEP * (layersSeconds(supportTokens, above) + logitsSeconds(supportPrompts)),
      whole: [],
    },
    {
      stage: "keys and write",
      gpuBytes: activationBytes(config, keyTokens, 0) + F32 * (2 * square + dModel * dMlp),
      hostBytes: F64 * (2 * square + (supportPrompts + preservedPrompts) * dMlp),
      seconds: layersSeconds(keyTokens, layer + 1) + dMlp ** 3 / 3 / rates.choleskyGflops / 1e9,
      whole: [...factored, edited],
    },
  ];
}

/** What one answer of `tokens` tokens takes beyond the weights, in bytes. */
export function answerBytes(config: ModelConfig, tokens: number): number {
  return cacheBytes(config, tokens) + activationBytes(config, tokens, 1);
}
