/**
 * ACE in chain mode, closed solver: our own form of ACE, the one that makes whole chains follow an edit.
 *
 * Every support prompt (one-hop forms of the fact, two-hop forms through other heads) and every target token gives a key
 * column of its own; keys of preserved prompts stand in the metric of the least squares, so siblings keep their answers.
 *
 * @module
 */
import { sideBySide } from "../gpu/side_by_side.ts";
import { ALWAYS_IN, LEAST_GROUPS } from "../linalg/left_out.ts";
import type { LeftOut } from "../linalg/thin_update.ts";
import { captureRows, type PositionsOf } from "../model/capture.ts";
import type { EditSession } from "./session.ts";
import { solveChain } from "./solve_chain.ts";
import { type SearchRow, searchTargets } from "./target_search.ts";
import { siteHook } from "./targets.ts";

/** One fact to edit, with its prompts as tokens. */
export interface ChainRequest {
  /** One-hop prompts of the fact. */
  oneHop: readonly (readonly number[])[];
  /** Two-hop prompts that lead to it through other heads. */
  twoHop: readonly (readonly number[])[];
  /** Which head each two-hop prompt goes through, so that whole heads can be left out; absent: none is. */
  heads?: readonly number[];
  /** Wanted answer. */
  target: readonly number[];
  /** Prompts to keep, each with the unedited model's own next tokens. */
  preserve: readonly { prompt: readonly number[]; continuation: readonly number[] }[];
}

/** Hyper-parameters of chain mode's closed solver. */
export interface ChainHyperparameters {
  /** Share of the loss that the one-hop prompts carry; null: all prompts weigh the same. */
  oneHopWeight: number | null;
  /** Weight of the preserved keys in the metric, per token. */
  keptWeight: number;
  /** Ridge of the second moments, as a multiple of their mean diagonal. */
  eps: number;
  /** Weight of the second moments, per token. */
  lambda: number;
  /** Ridge of the small system. */
  ridge: number;
  /** Largest factor that lengthens a write so that left-out heads would receive the whole of it; 1: none. */
  maxGain: number;
  /** Adam's rate. */
  lr: number;
  /** Most evaluations. */
  steps: number;
  /** Longest vector as a multiple of the mean output. */
  clamp: number;
  /** Weight decay. */
  weightDecay: number;
  /** Ends the search below this negative log-probability. */
  stop: number;
}

/** Support prompts with the target's tokens but the last, and the positions that predict target tokens. */
function columns(request: ChainRequest): PositionsOf[] {
  return [...request.oneHop, ...request.twoHop].map((prompt) => ({
    ids: [...prompt, ...request.target.slice(0, -1)],
    positions: request.target.map((_, j) => prompt.length - 1 + j),
  }));
}

/** Preserved prompts with their continuations, and the positions whose keys are kept. */
function keptColumns(request: ChainRequest): PositionsOf[] {
  return request.preserve.map(({ prompt, continuation }) => ({
    ids: [...prompt, ...continuation],
    positions: Array.from({ length: continuation.length + 1 }, (_, j) => prompt.length - 1 + j),
  }));
}

/** Groups of the key columns by head, or nothing if there are too few heads. */
function leftOut(request: ChainRequest, maxGain: number): LeftOut | undefined {
  const { oneHop, heads = [], target } = request;
  if (maxGain <= 1 || new Set(heads).size < LEAST_GROUPS) return undefined;
  const ofPrompts = [...oneHop.map(() => ALWAYS_IN), ...heads];
  return { groups: ofPrompts.flatMap((group) => target.map(() => group)), maxGain };
}

/** Weight of each support prompt in the loss. */
export function supportWeights(oneHop: number, twoHop: number, share: number | null): number[] {
  const first = twoHop === 0 ? 1 : share ?? oneHop / (oneHop + twoHop);
  return [
    ...new Array<number>(oneHop).fill(first / oneHop),
    ...new Array<number>(twoHop).fill((1 - first) / Math.max(1, twoHop)),
  ];
}

/** Rows of the search: one vector a target position, shared by all support prompts. */
function searchRows(request: ChainRequest, share: number | null): SearchRow[] {
  const weights = supportWeights(request.oneHop.length, request.twoHop.length, share);
  return columns(request).map(({ ids, positions }, i) => ({
    ids,
    edits: positions.map((position, slot) => ({ position, slot })),
    labels: positions.map((position, j) => ({
      position,
      token: request.target[j]!,
      weight: weights[i]! / request.target.length,
    })),
  }));
}

/**
 * Edits one fact.
 *
 * Search vectors delta_j at the MLP output of the last layer over all support prompts; then, layer by layer, read keys K,
 * kept keys S and outputs, M = lambda C + eps mean(diag C) I + (keptWeight / n) sum s sᵀ, and write
 * D = gain R (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹ with R = (wanted - present) / sqrt(layers left).
 *
 * Least squares fits its own heads and falls short on others: with one head after the other left out, the write gives it
 * only a part of the vector, and the gain is one over that part (shrinkage, as every ridge has). It is ours; the goldens
 * have a gain of 1.
 *
 * @param layers Edited layers, ascending; one is the default of the plan.
 */
export async function aceChain(
  session: EditSession,
  request: ChainRequest,
  layers: readonly number[],
  hparams: ChainHyperparameters,
): Promise<void> {
  const { model } = session;
  const z = layers.at(-1)!;
  const found = await searchTargets(model, searchRows(request, hparams.oneHopWeight), {
    layer: z,
    sites: ["mlp"],
    steps: hparams.steps,
    lr: hparams.lr,
    clamp: hparams.clamp,
    weightDecay: hparams.weightDecay,
    klFactor: 0,
    stopBelow: hparams.stop,
    stopOn: "nll",
    switchFactor: false,
    scale: "mean",
    trace: session.trace,
    signal: session.signal,
    onProgress: (step, steps) => session.report(`search, nll ${step.nll.toFixed(3)}`, step.step + 1, steps),
  });
  session.addSearch(found);
  const delta = found.delta.mlp!;
  const target = Float64Array.from(found.before.mlp!, (value, i) => value + delta[i % delta.length]!);

  const support = columns(request);
  const preserved = keptColumns(request);
  const heads = leftOut(request, hparams.maxGain);
  for (const [i, layer] of layers.entries()) {
    session.report(`write layer ${layer}`, i, layers.length);
    const post = `blocks.${layer}.mlp.hook_post`;
    const [[keys, current], [kept]] = await sideBySide([
      captureRows(model, support, [post, siteHook("mlp", z)]),
      captureRows(model, preserved, [post]),
    ]);
    session.write(
      await solveChain(session, {
        layer,
        keys: keys!,
        current: current!,
        target,
        divisor: Math.sqrt(layers.length - i),
        ...(preserved.length > 0 ? { kept: kept! } : {}),
        ...(heads ? { leftOut: heads } : {}),
      }, hparams),
    );
  }
}
