import type { AceMode, Method } from "./edit_options.ts";
import type { LayerPlan } from "./layer_plan.ts";

/**
 * Lists the layers that a method writes under a plan.
 *
 * @param plan Layers and tokens of every stage.
 * @param method Editing method.
 * @param mode Mode of ACE; other methods have none.
 * @returns Layers in ascending order, each once.
 */
export function plannedLayers(plan: LayerPlan, method: Method, mode: AceMode): number[] {
  const stages = method !== "ace" ? [plan.subjectLast] : mode === "chain" ? [plan.chain] : [plan.value, plan.query];
  return [...new Set(stages.flatMap((stage) => stage.layers))].sort((a, b) => a - b);
}
