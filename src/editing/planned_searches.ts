/**
 * The searches of an edit as far as its prompts tell before any runs: what its memory and time are estimated from.
 *
 * @module
 */
import type { Model } from "../model/model.ts";
import type { ForcedRow } from "../model/teacher_forcing.ts";
import type { PaperStage } from "./ace_paper.ts";
import type { ChainPrompts } from "./chain_prompts.ts";
import type { EditOptions } from "./edit_options.ts";
import { editPosition, targetIds } from "./edit_token.ts";
import type { StagePlan } from "./layer_plan.ts";
import { paperStages } from "./paper_prompts.ts";
import { plannedLayers } from "./planned_layers.ts";
import { fillTemplate } from "./prompt_forms.ts";
import type { EditRequest } from "./requests.ts";

/** A prompt of a search. */
export interface PlannedRow extends ForcedRow {
  /** First changed position: from it on, every step computes all. */
  first: number;
}

/** Searches at one layer, one after the other, and what is kept by the writes after them. */
export interface PlannedSearches {
  /** Layer whose output is searched. */
  layer: number;
  /** Prompts of each search with their targets. */
  searches: PlannedRow[][];
  /** Further short prompts whose prediction each search keeps. */
  keptPredictions: number;
  /** Prompts whose keys are kept: all tokens, and how many of them give a key. */
  kept: { tokens: number; keys: number }[];
  /** Layers that are written before them. */
  writtenBefore: number;
}

/** Tokens of the contexts that PMET, MEMIT and paper mode search in: the bare prompt, and texts as `makeContexts` samples. */
const CONTEXTS = [0, 12, 12, 12];

/** Stages of PMET, MEMIT (one) and paper mode: requests with the prompts that are searched, and the layers written. */
export async function spreadStages(
  model: Model,
  requests: readonly EditRequest[],
  plan: StagePlan,
  options: EditOptions,
): Promise<PaperStage[]> {
  const { method = "ace" } = options;
  if (method === "ace") return await paperStages(model, requests, plan, options);
  const single = requests.map((request) => ({ ...request, editToken: "subject_last" as const }));
  return [{ requests: single, layers: plannedLayers(plan, method, "paper") }];
}

/** Searches of chain mode: one a request, from the last token of each prompt on. */
export function chainSearches(prompts: readonly ChainPrompts[], layers: readonly number[]): PlannedSearches[] {
  return prompts.map(({ request: { oneHop, twoHop, target, preserve } }, i) => ({
    layer: layers.at(-1)!,
    searches: [[...oneHop, ...twoHop].map((prompt) => ({ prompt, target, first: prompt.length - 1 }))],
    keptPredictions: 0,
    kept: preserve.map(({ prompt, continuation }) => ({
      tokens: prompt.length + continuation.length,
      keys: 1 + continuation.length,
    })),
    writtenBefore: i === 0 ? 0 : layers.length,
  }));
}

/** Searches of the other methods: one a request, over its prompts in contexts that are about as long as these. */
export function spreadSearches(model: Model, stages: readonly PaperStage[]): PlannedSearches[] {
  let written = 0;
  return stages.map(({ requests, layers }) => {
    const writtenBefore = written;
    written += layers.length;
    const searches = requests.map(({ prompt, subject, target, editToken, more = [] }) =>
      [{ prompt, subject }, ...more].flatMap((form): PlannedRow[] => {
        const bare = model.tokens(fillTemplate(form.prompt, form.subject));
        const first = editPosition(model.tokenizer, form.prompt, form.subject, editToken);
        return CONTEXTS.map((tokens) => ({
          prompt: [...new Array<number>(tokens).fill(bare[0]!), ...bare],
          target: targetIds(model.tokenizer, target),
          first: tokens + first,
        }));
      })
    );
    return { layer: layers.at(-1)!, searches, keptPredictions: 1, kept: [], writtenBefore };
  });
}
