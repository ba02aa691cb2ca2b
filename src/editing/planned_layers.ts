import type { AceMode, Method } from "./edit_options.ts";
import type { PlannedStage, StagePlan } from "./layer_plan.ts";

/** Part of a plan that a method needs. */
export type PlanPart = "chain" | "paper" | "subjectLast";

/** Says which part of a plan a method needs; `mode` is that of ACE, other methods have none. */
export function planPart(method: Method, mode: AceMode): PlanPart {
  return method !== "ace" ? "subjectLast" : mode;
}

/**
 * Lists the layers that a method writes under a plan.
 *
 * @param plan Layers and tokens of the stages that were planned.
 * @param method Editing method.
 * @param mode Mode of ACE; other methods have none.
 * @returns Layers in ascending order, each once.
 * @throws {TypeError} If the plan was made for other methods.
 */
export function plannedLayers(plan: StagePlan, method: Method, mode: AceMode): number[] {
  const part = planPart(method, mode);
  const stages = (part === "paper" ? ["value", "query"] as const : [part]).map((name) => plannedStage(plan, name));
  return ascending(stages.flatMap((stage) => stage.layers));
}

/** Layers from the lowest to the highest, each once: the order of the writes, whose last is where the search was. */
export function ascending(layers: readonly number[]): number[] {
  return [...new Set(layers)].sort((a, b) => a - b);
}

/**
 * A stage of a plan.
 *
 * @throws {TypeError} If the plan was made for other methods.
 */
export function plannedStage(plan: StagePlan, name: Exclude<keyof StagePlan, "reasons">): PlannedStage {
  const stage = plan[name];
  if (stage) return stage;
  throw new TypeError(
    `Cannot edit by this plan: found no stage "${name}", which this method needs. Plan for every method with planEdit()`,
  );
}
