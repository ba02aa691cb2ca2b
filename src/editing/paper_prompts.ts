import type { Model } from "../model/model.ts";
import type { PaperStage } from "./ace_paper.ts";
import type { EditOptions } from "./edit_options.ts";
import type { StagePlan } from "./layer_plan.ts";
import { modelAnswerer } from "./model_answerer.ts";
import { fillTemplate } from "./prompt_forms.ts";
import { ascending, plannedStage } from "./planned_layers.ts";
import type { EditRequest } from "./requests.ts";
import { selectSupport } from "./support.ts";
import type { TokenRequest } from "./targets.ts";

/** Multi-hop prompts of the value stage; the prototype that the settings come from used three. */
const MULTI_HOP_PROMPTS = 3;

/**
 * The two stages of paper mode: multi-hop prompts through other heads at the value layers (the single-hop prompt where no
 * facts are given), then the single-hop prompt at the query layers. A stage without layers is left out.
 */
export async function paperStages(
  model: Model,
  requests: readonly EditRequest[],
  plan: StagePlan,
  options: EditOptions,
): Promise<PaperStage[]> {
  const valueStage = plannedStage(plan, "value");
  const queryStage = plannedStage(plan, "query");
  const value: TokenRequest[] = [];
  for (const request of requests) {
    const [first, ...more] = await multiHopForms(model, request, options);
    value.push({ ...(first ?? request), target: request.target, editToken: valueStage.token, more });
  }
  const query = requests.map((request) => ({ ...request, editToken: queryStage.token }));
  return [
    { requests: value, layers: ascending(valueStage.layers) },
    { requests: query, layers: ascending(queryStage.layers) },
  ].filter((stage) => stage.layers.length > 0);
}

/** Templates with `{}` for a head, and the heads: "The capital of the country where {} is located is", "Noyon". */
async function multiHopForms(
  model: Model,
  request: EditRequest,
  { facts, exclude = [], seed = 0, signal }: EditOptions,
): Promise<{ prompt: string; subject: string }[]> {
  if (!facts) return [];
  const relation = facts.relationOf(request.prompt);
  const { used } = await selectSupport(facts, request, { answerer: modelAnswerer(model, signal), exclude, seed });
  return used.heads.slice(0, MULTI_HOP_PROMPTS).map((head) => ({
    prompt: fillTemplate(relation.cloze[0]!, facts.relation(head.relation).description!),
    subject: head.subject,
  }));
}
