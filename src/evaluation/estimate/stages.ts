/**
 * What loading and editing a model would take, stage by stage, from its config and measured rates alone.
 *
 * @module
 */
import { PASSES_A_STEP } from "../../editing/edit_estimate.ts";
import { factorsOnGpu } from "../../editing/write_metric.ts";
import { CAPTURE_BYTES } from "../../editing/write_profile.ts";
import { type Dtype } from "../../gpu/tensor.ts";
import type { ModelConfig } from "../../model/architectures.ts";
import { activationBytes, cacheBytes, largestWeight, parameterCounts, weightBytes } from "../../model/memory.ts";
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
  /** Its largest tensors. */
  readonly tensors: readonly LargeTensor[];
}

/** A tensor that a device may be too small for. */
export interface LargeTensor {
  /** What it is. */
  readonly name: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Whether it is bound by ranges of rows; else one binding must hold it. */
  readonly byRows: boolean;
}

/** A tensor that a device does not hold. */
export interface UnfitTensor extends LargeTensor {
  /** Stage that needs it. */
  readonly stage: string;
  /** What it does not fit in. */
  readonly holder: "binding" | "buffer";
  /** Bytes that one such holds. */
  readonly limit: number;
}

/** The device that an estimate is for. */
export interface EstimatedDevice {
  /** Its rates. */
  readonly rates: KernelRates;
  /** Bytes that one binding holds. */
  readonly bindingBytes: number;
  /** Bytes that one buffer holds. */
  readonly bufferBytes: number;
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

/** Matrices like C that the computer holds while it writes: the sum, C, the metric, and its factor or what is uploaded of it. */
const HOST_MOMENTS = 4;

/**
 * Estimates every stage of one edit in chain mode.
 *
 * @param dtype How the weights are stored.
 * @param device Rates and limits.
 * @returns Stages in the order in which they run.
 */
export function estimateStages(
  config: ModelConfig,
  dtype: Dtype,
  { rates, bindingBytes }: EstimatedDevice,
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
  const moment: LargeTensor = { name: `second moment [${dMlp}, ${dMlp}] f32`, bytes: F32 * square, byRows: true };
  const onGpu = factorsOnGpu(dMlp, bindingBytes);
  const factorRate = onGpu ? rates.choleskyGflops : rates.cpuCholeskyGflops;
  const { name: widest, bytes: widestBytes } = largestWeight(config, dtype);
  // Only the lower half of a second moment is computed, unless it is written by ranges of rows.
  const halves = moment.bytes > bindingBytes ? 2 : 1;
  return [
    {
      stage: "load",
      gpuBytes: weightBytes(config, dtype),
      hostBytes: 0,
      seconds: weightBytes(config, dtype) / rates.uploadGBs / 1e9,
      tensors: [{ name: `weight ${widest}`, bytes: widestBytes, byRows: true }],
    },
    {
      stage: "plan",
      gpuBytes: activationBytes(config, promptTokens, bases) + CAPTURE_BYTES,
      hostBytes: 0,
      seconds: trial,
      tensors: [{ name: `logits [${bases}, ${vocab}] f32`, bytes: F32 * bases * vocab, byRows: false }],
    },
    {
      stage: "second moments",
      gpuBytes: activationBytes(config, 1024, 0) + F32 * square,
      hostBytes: 2 * F64 * square,
      seconds: layersSeconds(momentTokens, layer + 1) + halves * 2 * momentTokens * square / rates.rankKGflops / 1e9,
      tensors: [moment],
    },
    {
      stage: "search",
      gpuBytes: activationBytes(config, supportTokens, 2 * supportPrompts) * above + cacheBytes(config, supportTokens),
      hostBytes: 0,
      seconds: layersSeconds(supportTokens, layer) +
        steps * PASSES_A_STEP * (layersSeconds(supportTokens, above) + logitsSeconds(supportPrompts)),
      tensors: [
        { name: `activation [${supportTokens}, ${dMlp}] f32`, bytes: F32 * supportTokens * dMlp, byRows: false },
        { name: `logits [${supportPrompts}, ${vocab}] f32`, bytes: F32 * supportPrompts * vocab, byRows: false },
      ],
    },
    {
      stage: "keys and write",
      gpuBytes: activationBytes(config, keyTokens, 0) + F32 * ((onGpu ? square : 0) + dModel * dMlp),
      hostBytes: F64 * (HOST_MOMENTS * square + (supportPrompts + preservedPrompts) * dMlp),
      seconds: layersSeconds(keyTokens, layer + 1) + dMlp ** 3 / 3 / factorRate / 1e9,
      tensors: [
        { name: `edited matrix [${dModel}, ${dMlp}] f32`, bytes: F32 * dModel * dMlp, byRows: true },
        ...(onGpu ? [{ ...moment, name: `factor of the ${moment.name}`, byRows: false }] : []),
      ],
    },
  ];
}

/** The tensors of some stages that a device does not hold. */
export function unfitTensors(
  stages: readonly Pick<StageEstimate, "stage" | "tensors">[],
  { bindingBytes, bufferBytes }: Pick<EstimatedDevice, "bindingBytes" | "bufferBytes">,
): UnfitTensor[] {
  return stages.flatMap(({ stage, tensors }) =>
    tensors.flatMap((tensor): UnfitTensor[] => {
      if (!tensor.byRows && tensor.bytes > bindingBytes) {
        return [{ ...tensor, stage, holder: "binding", limit: bindingBytes }];
      }
      return tensor.bytes > bufferBytes ? [{ ...tensor, stage, holder: "buffer", limit: bufferBytes }] : [];
    })
  );
}

/** What one answer of `tokens` tokens takes beyond the weights, in bytes. */
export function answerBytes(config: ModelConfig, tokens: number): number {
  return cacheBytes(config, tokens) + activationBytes(config, tokens, 1);
}
