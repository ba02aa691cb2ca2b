import { rivalTokens } from "../attribution/answer_tokens.ts";
import { type LayerScores, scoreLayers } from "../attribution/layer_scores.ts";
import type { Model } from "../model/model.ts";
import { nextTokens } from "../model/next_tokens.ts";
import { SPREAD_DEFAULTS } from "./defaults.ts";
import { targetIds } from "./edit_token.ts";
import type { EditOptions } from "./edit_options.ts";
import { learnedForms } from "./facts.ts";
import {
  type LayerPlan,
  planChain,
  planLayers,
  planPaper,
  planSubjectLast,
  type Prober,
  type StagePlan,
} from "./layer_plan.ts";
import { planPart } from "./planned_layers.ts";
import { asContinuation, fillTemplate } from "./prompt_forms.ts";
import type { EditRequest } from "./requests.ts";
import { alternatives } from "./support.ts";
import { probe } from "./token_probe.ts";
import { type WriteProfile, writeProfile } from "./write_profile.ts";

/** A plan with what it was made from. */
export interface PlannedEdit {
  /** Layers and tokens of every stage. */
  plan: LayerPlan;
  /** Answer of the unedited model that was attributed, as text. */
  oldAnswer: string;
  /** Number of other objects that the contrast compares with. */
  alternatives: number;
}

/**
 * Plans an edit by every method: tries writes of a sample of facts at every layer, attributes the present answer over the
 * one-hop forms, and probes where a search can act.
 *
 * The trial names nothing of `exclude`: give what the edit is given, so that neither knows what it will be judged by.
 * Without facts there is no trial, and the contrast chooses chain mode's layer. It compares with the first tokens of the
 * relation's other objects; without facts, with that of the new one; where all of them begin as the present answer does,
 * with the most likely token besides.
 */
export async function planEdit(model: Model, request: EditRequest, options: EditOptions = {}): Promise<PlannedEdit> {
  const { oldAnswer, alternatives, scores } = await attributePresent(model, request, options);
  const profile = await profileOf(model, options);
  const plan = await planLayers(scores, proberOf(model, request, options), {
    scoring: options.scoring ?? "published",
    ...(profile ? { profile } : {}),
  });
  return { plan, oldAnswer, alternatives };
}

/**
 * Plans an edit by one method alone, that of the options, from what this one needs: chain mode the trial of writes, paper
 * mode the scores and two probes, PMET and MEMIT the probes.
 */
export async function planMethod(model: Model, request: EditRequest, options: EditOptions = {}): Promise<StagePlan> {
  const { method = "ace", mode = "chain", scoring = "published" } = options;
  const part = planPart(method, mode);
  const scored = async (): Promise<LayerScores> => (await attributePresent(model, request, options)).scores;
  const prober = proberOf(model, request, options);
  if (part === "subjectLast") return await planSubjectLast(model.config.nLayers, prober);
  if (part === "paper") return await planPaper(await scored(), prober, { scoring });
  const profile = await profileOf(model, options);
  return planChain(profile?.facts ? profile : (await scored()).contrast.ffn);
}

/** Plans an edit of several facts by one method: from the first of them, and says so. */
export async function planRequests(
  model: Model,
  requests: readonly EditRequest[],
  options: EditOptions,
): Promise<StagePlan> {
  const plan = await planMethod(model, requests[0]!, options);
  if (requests.length === 1) return plan;
  const { prompt, subject } = requests[0]!;
  const first = JSON.stringify(fillTemplate(prompt, subject));
  return { ...plan, reasons: [...plan.reasons, `Planned for ${first}, the first of ${requests.length} requests`] };
}

/** The trial of writes: that of the options, else one over the facts; undefined without facts. */
async function profileOf(model: Model, options: EditOptions): Promise<WriteProfile | undefined> {
  const { facts, exclude = [], seed = 0, signal } = options;
  if (options.profile || !facts) return options.profile;
  return await writeProfile(model, facts, { exclude, seed, signal });
}

function proberOf(model: Model, request: EditRequest, options: EditOptions): Prober {
  const hparams = { ...SPREAD_DEFAULTS, ...options.spread };
  return (layer, token) => probe(model, request, layer, token, hparams, options.signal);
}

/** Scores the layers for the present answer of a request. */
async function attributePresent(
  model: Model,
  request: EditRequest,
  { facts, scoring = "published", signal }: EditOptions,
): Promise<{ oldAnswer: string; alternatives: number; scores: LayerScores }> {
  const { tokenizer } = model;
  const filled = fillTemplate(request.prompt, request.subject);
  let forms = [filled];
  let old: string | undefined;
  let others = [request.target];
  if (facts) {
    const relation = facts.relationOf(request.prompt);
    forms = learnedForms(relation, request.subject);
    old = facts.object(relation.name, request.subject);
    if (old !== undefined) others = alternatives(facts, relation.name, old);
  }
  old ??= await model.complete(filled, { signal });
  const [target] = targetIds(tokenizer, old);
  if (target === undefined) {
    throw new TypeError(`Cannot plan an edit of "${filled}": the model gives no answer to attribute`);
  }
  const prompts = forms.map((form) => model.tokens(form));
  let first = rivalTokens(tokenizer, others.map(asContinuation), target);
  if (first.length === 0) first = rivalTokens(tokenizer, [asContinuation(request.target)], target);
  if (first.length === 0) {
    const likely = await nextTokens(model, prompts[0]!, 2);
    first = likely.map(({ id }) => id).filter((id) => id !== target).slice(0, 1);
  }
  const scores = await scoreLayers(model, {
    prompts,
    target,
    alternatives: first,
    scoring,
    signal,
  });
  return { oldAnswer: old, alternatives: first.length, scores };
}
