import { scoreLayers } from "../attribution/layer_scores.ts";
import type { Model } from "../model/model.ts";
import { SPREAD_DEFAULTS } from "./defaults.ts";
import { rivalTokens, targetIds } from "./edit_token.ts";
import type { EditOptions } from "./edit_options.ts";
import { learnedForms } from "./facts.ts";
import { type LayerPlan, planLayers } from "./layer_plan.ts";
import type { EditRequest } from "./requests.ts";
import { alternatives } from "./support.ts";
import { probe } from "./token_probe.ts";
import { writeProfile } from "./write_profile.ts";

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
 * Plans an edit: attributes the present answer over the one-hop forms and probes where a search can act.
 *
 * The contrast compares with the first tokens of the relation's other objects; without facts, with that of the new one.
 */
export async function planEdit(model: Model, request: EditRequest, options: EditOptions = {}): Promise<PlannedEdit> {
  const { facts } = options;
  const { tokenizer } = model;
  const filled = request.prompt.replace("{}", () => request.subject);
  let forms = [filled];
  let old: string | undefined;
  let others = [request.target];
  if (facts) {
    const relation = facts.relationOf(request.prompt);
    forms = learnedForms(relation, request.subject);
    old = facts.object(relation.name, request.subject);
    if (old !== undefined) others = alternatives(facts, relation.name, old);
  }
  old ??= await model.complete(filled);
  const [target] = targetIds(tokenizer, old);
  if (target === undefined) {
    throw new TypeError(`Cannot plan an edit of "${filled}": the model gives no answer to attribute`);
  }
  const first = rivalTokens(tokenizer, others, target);
  if (first.length === 0) first.push(...targetIds(tokenizer, request.target).slice(0, 1));
  const scores = await scoreLayers(model, {
    prompts: forms.map((form) => model.tokens(form)),
    target,
    alternatives: first,
  });
  const hparams = { ...SPREAD_DEFAULTS, ...options.spread };
  const { exclude = [], seed = 0 } = options;
  const profile = options.profile ?? (facts ? await writeProfile(model, facts, { exclude, seed }) : undefined);
  const plan = await planLayers(
    scores,
    (layer, token) => probe(model, request, layer, token, hparams),
    { scoring: options.scoring ?? "published", ...(profile ? { profile } : {}) },
  );
  return { plan, oldAnswer: old, alternatives: first.length };
}
