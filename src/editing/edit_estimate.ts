/**
 * What an edit would cost, before it is computed.
 *
 * @module
 */
import type { Model } from "../model/model.ts";
import { teacherForce } from "../model/teacher_forcing.ts";
import { chainPrompts } from "./chain_prompts.ts";
import { corpusFor, readCorpus } from "./corpus.ts";
import { CHAIN_DEFAULTS, SPREAD_DEFAULTS } from "./defaults.ts";
import { checkEditMemory, larger, momentMemory, searchMemory } from "./edit_memory.ts";
import type { EditOptions } from "./edit_options.ts";
import type { StagePlan } from "./layer_plan.ts";
import { momentDocuments, MomentsFile } from "./moments_file.ts";
import { plannedLayers } from "./planned_layers.ts";
import { chainSearches, spreadSearches, spreadStages } from "./planned_searches.ts";
import type { EditRequest } from "./requests.ts";

/** Cost of an edit; times hold for the machine that the estimate was made on. */
export interface EditEstimate {
  /** Layers that would be written. */
  layers: number[];
  /** Prompts of all searches. */
  searchPrompts: number;
  /** Prompts that are kept as they are. */
  keptPrompts: number;
  /** Tokens of text still to be counted for second moments; 0 where they are stored. */
  momentTokens: number;
  /** GPU memory beyond the model's own at most, in bytes: what the check before an edit compares with the device. */
  gpuBytes: number;
  /** The stage that takes it. */
  largestStage: string;
  /** Memory of the computer for second moments, in bytes. */
  hostBytes: number;
  /** Time at most, in seconds: searches may stop early. */
  seconds: number;
}

/**
 * Forward passes through the same layers that a search step, forward and backward with frozen weights, takes as long as.
 * Measured over a whole model and 60 tokens on Mesa's CPU driver: 2.2 for world-gptj, 2.5 for world-qwen3, 2.6 for
 * SmolLM2-135M in Q4_1.
 */
export const PASSES_A_STEP = 2.5;

/**
 * Estimates an edit from its prompts and the time of one forward pass over them.
 *
 * @param model Unedited model.
 * @param requests Requests in their one form.
 * @param plan Layers and tokens, at least of the method's own stage.
 * @param options Options of the edit.
 * @returns Memory and time.
 * @throws {RangeError} If the GPU does not hold it beside the model.
 * @throws {TypeError} If there is nothing to compute second moments from.
 */
export async function estimateEdit(
  model: Model,
  requests: readonly EditRequest[],
  plan: StagePlan,
  options: EditOptions,
): Promise<EditEstimate> {
  const { method = "ace", mode = "chain", facts, exclude = [], seed = 0, signal } = options;
  const { dMlp } = model.config;
  const layers = plannedLayers(plan, method, mode);
  const chain = method === "ace" && mode === "chain" && facts !== undefined;
  const prompts = chain ? await chainPrompts(model, facts, requests, { exclude, seed, signal }) : [];
  const planned = method === "ace" && mode === "chain"
    ? chainSearches(prompts, layers)
    : spreadSearches(model, await spreadStages(model, requests, plan, options));
  const documents = options.moments ? [] : await missingDocuments(model, layers, options);
  const counted = documents.length === 0 ? [] : [momentMemory(model, layers.length, documents)];
  const memory = counted.reduce(larger, searchMemory(model, layers, planned));
  checkEditMemory(model.gpu, memory);
  const momentTokens = documents.reduce((sum, length) => sum + length, 0);
  const rows = planned.flatMap(({ searches }) => searches.flat());
  const tokens = rows.reduce((sum, { prompt, target }) => sum + prompt.length + target.length - 1, 0);

  await teacherForce(model, rows); // Pipelines are compiled on first use; that is not the time of a pass.
  signal?.throwIfAborted();
  const start = performance.now();
  await teacherForce(model, rows);
  const passSeconds = (performance.now() - start) / 1000;
  const steps = chain ? options.chain?.steps ?? CHAIN_DEFAULTS.steps : options.spread?.steps ?? SPREAD_DEFAULTS.steps;

  return {
    layers,
    searchPrompts: rows.length,
    keptPrompts: planned.reduce((sum, { kept }) => sum + kept.length, 0),
    momentTokens,
    gpuBytes: memory.bytes,
    largestStage: memory.stage,
    hostBytes: 8 * layers.length * dMlp * dMlp,
    seconds: passSeconds * (PASSES_A_STEP * steps + momentTokens / tokens),
  };
}

/** Tokens of each document, if the cache does not cover all of them yet; else none. */
async function missingDocuments(
  model: Model,
  layers: readonly number[],
  options: EditOptions,
): Promise<number[]> {
  const documents = momentDocuments(model, await readCorpus(corpusFor(model, options)));
  const { momentsCache } = options;
  if (momentsCache !== undefined) {
    const stored = await new MomentsFile(momentsCache, model, documents).read(layers);
    if (layers.every((layer) => stored.get(layer)?.documents === documents.length)) return [];
  }
  return documents.map((ids) => ids.length);
}
