import { assertEquals, assertStringIncludes } from "@std/assert";
import { planFigure } from "../../src/display/plan_figure.ts";
import type { PlotlyObject } from "../../src/display/theme.ts";
import { planData } from "../../src/evaluation/plan_report.ts";
import { madeUpStory } from "./demo/made_up_story.ts";

const { planned: { plan } } = await madeUpStory();
const { profile: _profile, ...untried } = plan;

Deno.test("planData() shows chain mode by the error of the trial that chose its layer, and where the subject arrives", () => {
  const [chain] = planData(plan).stages;
  assertEquals(chain, {
    name: "Chain mode",
    chosen: [2],
    score: "left-out error of trial writes (lower is better)",
    scores: [0.875, 0.5, 0.125],
    from: { layer: 1, name: "the subject has arrived" },
  });
});

Deno.test("planData() shows chain mode by contrast where no trial was made", () => {
  const [chain] = planData(untried).stages;
  assertEquals([chain!.score, chain!.scores, chain!.beside?.name, chain!.from], [
    "contrast of the FFN output (nats)",
    plan.scores.contrast.ffn,
    "Published score",
    undefined,
  ]);
});

Deno.test("planData() shows paper mode by the scores that chose its layers, the others beside them", () => {
  const scores = {
    ...plan.scores,
    value: { attn: [], ffn: [1, 2, 3] },
    contrast: { attn: [], ffn: [6, 5, 4] },
  };
  for (
    const [scoring, chosen, beside] of [["published", [1, 2, 3], [6, 5, 4]], ["contrast", [6, 5, 4], [
      1,
      2,
      3,
    ]]] as const
  ) {
    const [, value, query] = planData({ ...plan, scores, scoring }).stages;
    assertEquals([value!.scores, value!.beside?.scores, value!.chosen], [[...chosen], [...beside], [1, 2]]);
    assertEquals([query!.scores, query!.chosen], [[3, 2, 1], [0]]);
  }
});

Deno.test("planFigure() says of the plan's figure what chose chain mode's layer, and names each kind of mark once", () => {
  const spec = planFigure(planData(plan));
  assertStringIncludes(
    String((spec.layout.meta as PlotlyObject).description),
    "Chain mode: 2, chosen by left-out error of trial writes (lower is better) from layer 1 on, the subject has arrived.",
  );
  const named = spec.data.filter(({ showlegend }) => showlegend).map(({ name }) => name);
  assertEquals(named, ["Chosen", "Not chosen", "Contrast"]);
});
