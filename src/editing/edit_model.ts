/**
 * The public way to an edit: check requests, plan layers, run the method, wrap the result.
 *
 * @module
 */
import type { Model } from "../model/model.ts";
import { aceChain, type ChainHyperparameters } from "./ace_chain.ts";
import { acePaper } from "./ace_paper.ts";
import { chainPrompts } from "./chain_prompts.ts";
import { makeContexts } from "./contexts.ts";
import { corpusFor, momentsFor } from "./corpus.ts";
import { CHAIN_DEFAULTS, SPREAD_DEFAULTS } from "./defaults.ts";
import { Edit, type EditRecord, type SearchSummary } from "./edit.ts";
import { measurePatches } from "./edit_norms.ts";
import { checkHyperparameters, checkLayers, checkSeed } from "./edit_checks.ts";
import { checkEditMemory, searchMemory } from "./edit_memory.ts";
import type { EditOptions } from "./edit_options.ts";
import { joinPatches } from "./join_patches.ts";
import { memit } from "./memit.ts";
import { modelAnswerer } from "./model_answerer.ts";
import { searchWarnings, stackWarnings, supportWarnings } from "./edit_warnings.ts";
import { pmet } from "./pmet.ts";
import { type EditRequest, normalizeRequests, presentAnswerError } from "./requests.ts";
import { planRequests } from "./plan_edit.ts";
import { plannedLayers } from "./planned_layers.ts";
import { chainSearches, spreadSearches, spreadStages } from "./planned_searches.ts";
import { fillTemplate } from "./prompt_forms.ts";
import { EditSession } from "./session.ts";
import type { Contexts } from "./targets.ts";

/**
 * Computes an edit; the model is left as it was.
 *
 * @param requests Facts to change: prompt with `{}`, subject, target.
 * @returns The edit; `apply` makes it effective.
 * @throws {TypeError} If a request is incomplete, contradicts another or asks for the present answer, if chain mode has
 * no facts, or if there is nothing to compute second moments from.
 * @throws {RangeError} If a number of the method or a layer of the plan makes no sense, a prompt is too long, or the GPU
 * does not hold the edit beside the model.
 */
export async function edit(model: Model, requests: readonly EditRequest[], options: EditOptions = {}): Promise<Edit> {
  const { method = "ace", mode = "chain", facts, seed = 0, signal } = options;
  const hparams = { ...SPREAD_DEFAULTS, ...options.spread };
  const chain: ChainHyperparameters = { ...CHAIN_DEFAULTS, ...options.chain };
  checkHyperparameters(hparams);
  checkHyperparameters({ ...chain });
  checkSeed(seed);
  const under = model.patches.count;
  const wanted = await checkRequests(model, requests, options);
  const plan = options.plan ?? await planRequests(model, wanted, options);
  const chainMode = method === "ace" && mode === "chain";
  const layers = plannedLayers(plan, method, mode);
  checkLayers(layers, model.config.nLayers);
  const exclude = options.exclude ?? [];
  const prompts = chainMode ? await chainPrompts(model, facts!, wanted, { exclude, seed, signal }) : [];
  const stages = chainMode ? [] : await spreadStages(model, wanted, plan, options);
  const planned = chainMode ? chainSearches(prompts, layers) : spreadSearches(model, stages);
  checkEditMemory(model.gpu, searchMemory(model, layers, planned));
  const moments = await momentsFor(model, layers, options);
  let contexts: Contexts = [];
  using session = new EditSession(model, moments, options);
  if (chainMode) {
    for (const { request } of prompts) await aceChain(session, request, layers, chain);
  } else {
    contexts = await makeContexts(model, seed, { signal });
    if (method === "ace") await acePaper(session, stages, contexts, hparams);
    else {
      const spread = method === "pmet" ? pmet : memit;
      for (const stage of stages) await spread(session, stage.requests, contexts, stage.layers, hparams);
    }
  }
  const patches = joinPatches(session.writes.map((write) => write.patch));
  session[Symbol.dispose]();
  const summaries = session.searches.map(({ steps }): SearchSummary => ({
    evaluations: steps.length,
    firstNll: steps[0]!.nll,
    lastNll: steps.at(-1)!.nll,
    nll: steps.map(({ nll }) => nll),
  }));
  const record: EditRecord = {
    method,
    mode: method === "ace" ? mode : null,
    modelHash: model.hash,
    model: `${model.config.family}, ${model.config.nLayers} layers, dModel ${model.config.dModel}`,
    requests: wanted,
    seed,
    plan: { ...plan, scores: undefined },
    hyperparameters: chainMode ? { ...chain } : { ...hparams },
    contexts,
    support: prompts.map((p) => p.support),
    searches: summaries,
    solves: session.writes.map(({ layer, backwardError, conditionEstimate, gain }) => ({
      layer,
      backwardError,
      conditionEstimate,
      gain,
    })),
    warnings: [
      ...stackWarnings(under),
      ...searchWarnings(summaries),
      ...(chainMode
        ? supportWarnings(
          facts!,
          exclude,
          prompts.map(({ support }, i) => ({ subject: wanted[i]!.subject, support })),
        )
        : []),
    ],
  };
  return new Edit(model, record, patches, await measurePatches(model, patches));
}

/**
 * Checks requests against the model and brings them to their one form; the order of the checks is that of their cost.
 *
 * @throws {TypeError} As {@linkcode edit} does for requests, missing facts and a missing corpus.
 */
export async function checkRequests(
  model: Model,
  requests: readonly EditRequest[],
  options: EditOptions,
): Promise<EditRequest[]> {
  const { method = "ace", mode = "chain", facts } = options;
  // PMET and MEMIT take no prompts from the facts, and so any template.
  const relation = (template: string) => method === "ace" ? facts?.relationOf(template) : facts?.findRelation(template);
  const wanted = normalizeRequests(requests, (template) => relation(template)?.name ?? template);
  if (method === "ace" && mode === "chain" && !facts) {
    throw new TypeError(
      "Cannot edit in chain mode without facts: found none, wanted other heads that lead to the subject and siblings " +
        "to keep. Give a facts file (`facts: await loadFacts(path)`, or --facts FILE), or use mode paper",
    );
  }
  // Without a corpus there is nothing to plan for.
  if (!options.moments) corpusFor(model, options);
  const pairs = wanted.map(({ prompt, subject, target }) => ({
    prompt: fillTemplate(prompt, subject),
    answer: target,
  }));
  pairs.forEach(({ prompt }) => model.tokens(prompt));
  const given = await modelAnswerer(model, options.signal).given(pairs);
  given.forEach((already, i) => {
    if (already) throw presentAnswerError(wanted[i]!);
  });
  return wanted;
}
