/**
 * A plan as a figure.
 *
 * @module
 */
import type { PlanData, PlanStage } from "../display/plan_figure.ts";
import type { LayerPlan } from "../editing/layer_plan.ts";

/**
 * Lays a plan out for the plan figure: the stages of ACE, each with what chose its layers.
 *
 * @param plan Plan of every method.
 * @returns Chain mode by the error of its trial of writes, or by contrast where none was made; then paper mode's stages.
 */
export function planData(plan: LayerPlan): PlanData {
  const { value, query, scoring, scores } = plan;
  const contrast = { name: "Contrast", scores: [...scores.contrast.ffn] };
  const published = { name: "Published score", scores: [...scores.value.ffn] };
  const byContrast = { score: "contrast of the FFN output (nats)", scores: contrast.scores, beside: published };
  const byPublished = { score: "published score of the FFN output (nats)", scores: published.scores, beside: contrast };
  return {
    stages: [
      chainStage(plan, byContrast),
      {
        name: "Paper mode, value layers",
        chosen: value.layers,
        ...(scoring === "contrast" ? byContrast : byPublished),
      },
      { name: "Paper mode, query layers", chosen: query.layers, score: "query score", scores: [...scores.query] },
    ],
  };
}

function chainStage(
  { chain, profile }: LayerPlan,
  byContrast: Pick<PlanStage, "score" | "scores" | "beside">,
): PlanStage {
  const stage = { name: "Chain mode", chosen: chain.layers };
  if (!profile) return { ...stage, ...byContrast };
  return {
    ...stage,
    score: "left-out error of trial writes (lower is better)",
    scores: [...profile.error],
    from: { layer: profile.arrival, name: "the subject has arrived" },
  };
}
