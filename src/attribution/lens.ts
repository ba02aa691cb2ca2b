/**
 * Logit lens: what the vocabulary says about the residual at the query position before each layer and at the end.
 *
 * @module
 */
import { logSoftmax } from "../../kernels/softmax.ts";
import { topK } from "../../kernels/top_k.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { unembed } from "../model/forward.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";

/** A token with its log-probability. */
export interface LensToken {
  /** Token id. */
  readonly id: number;
  /** Its text. */
  readonly text: string;
  /** Natural logarithm of its probability. */
  readonly logProb: number;
}

/** The lens at one place. */
export interface LensRow {
  /** Layer whose input is read; nLayers for the last residual. */
  readonly layer: number;
  /** Log-probability of the target under the full final norm, which takes the residual's own divisor. */
  readonly targetLogProb: number;
  /** The same under the frozen divisor of the last residual. */
  readonly frozenTargetLogProb: number;
  /** The same with the layer's attention output added; absent at the last residual. */
  readonly frozenTargetLogProbAfterAttn?: number;
  /** Most likely tokens under the full final norm. */
  readonly top: readonly LensToken[];
}

/**
 * Log-probabilities of every token for the input of each layer and the last residual, under the full final norm.
 *
 * @returns [nLayers + 1, vocab] f32; the caller owns it.
 */
export function lensLogProbs(prompt: ScoredPrompt): Tensor {
  const { model, captures: { bases, ids } } = prompt;
  const { gpu: { stream }, config: { nLayers, dModel } } = model;
  using x = model.gpu.tensor([nLayers + 1, dModel], "lens residuals");
  stream.copy(bases, x, { elements: nLayers * dModel });
  stream.copy(bases, x, { from: 2 * nLayers * dModel, to: nLayers * dModel, elements: dModel });
  using rows = model.rowsFor([ids]);
  using logits = unembed(model.pass(rows), x, "all");
  return logSoftmax(stream, { x: logits });
}

/**
 * Reads the lens.
 *
 * @param count Most likely tokens listed a row, 1 to 128.
 * @returns One row a layer, and one for the last residual.
 */
export async function logitLens(prompt: ScoredPrompt, count: number = 5): Promise<LensRow[]> {
  const { model, host, target } = prompt;
  const { gpu: { stream }, config: { nLayers, vocab }, tokenizer } = model;
  using logProbs = lensLogProbs(prompt);
  const best = topK(stream, { x: logProbs }, { k: Math.min(count, vocab) });
  using values = best.values;
  using indices = best.indices;
  const [all, logs, ids] = await stream.read(logProbs, values, indices);
  const width = values.shape[1]!;
  return Array.from({ length: nLayers + 1 }, (_, layer) => ({
    layer,
    targetLogProb: all[layer * vocab + target]!,
    frozenTargetLogProb: host.baseLogProb[layer === nLayers ? 2 * nLayers : layer]!,
    ...(layer < nLayers ? { frozenTargetLogProbAfterAttn: host.baseLogProb[nLayers + layer]! } : {}),
    top: Array.from({ length: width }, (_, i) => {
      const id = ids[layer * width + i]!;
      return { id, text: tokenizer.tokenText(id), logProb: logs[layer * width + i]! };
    }),
  }));
}
