import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answersFigure } from "../../src/display/answers_figure.ts";
import { contributionFigure } from "../../src/display/contribution_figure.ts";
import { describeFigure, type FigureSpec } from "../../src/display/figure_spec.ts";
import { lensFigure, scoreMapFigure } from "../../src/display/heat_map_figure.ts";
import { neuronFigure, neuronName, neuronTable, showToken } from "../../src/display/neuron_figure.ts";
import { planFigure } from "../../src/display/plan_figure.ts";
import { searchFigure } from "../../src/display/search_figure.ts";
import { type PlotlyObject, TONES } from "../../src/display/theme.ts";
import { ANSWERS, CONTRIBUTION, HEADS, LENS, NEURONS, PLAN, SEARCHES } from "./sample_report.ts";

const FIGURES: Record<string, (width?: number) => FigureSpec> = {
  contributionFigure: (width) => contributionFigure(CONTRIBUTION, size(width)),
  planFigure: (width) => planFigure(PLAN, size(width)),
  neuronFigure: (width) => neuronFigure(NEURONS, size(width)),
  answersFigure: (width) => answersFigure(ANSWERS, size(width)),
  lensFigure: (width) => lensFigure(LENS, size(width)),
  scoreMapFigure: (width) => scoreMapFigure(HEADS, size(width)),
  searchFigure: (width) => searchFigure(SEARCHES, size(width)),
};

function size(width: number | undefined): { width?: number } {
  return width === undefined ? {} : { width };
}

/** The document without the template, which is the same everywhere. */
function withoutTemplate(spec: FigureSpec): unknown {
  const { template: _template, ...layout } = spec.layout;
  return { ...spec, layout };
}

for (const [name, figure] of Object.entries(FIGURES)) {
  Deno.test(`${name}() keeps its document`, async (t) => {
    await t.assertSnapshot(withoutTemplate(figure()));
  });

  Deno.test(`${name}() is plain JSON of fixed size with a description, in any width`, () => {
    for (const width of [undefined, 340]) {
      const spec = figure(width);
      assertEquals(JSON.parse(JSON.stringify(spec)), spec);
      assertEquals(spec.layout.width, width ?? 880);
      assert(Number(spec.layout.height) > 100);
      assert(String((spec.layout.meta as PlotlyObject).description).length > 20);
      assert(!/NaN|undefined|Infinity/.test(JSON.stringify(spec) + describeFigure(spec)));
    }
  });
}

Deno.test("contributionFigure() draws one panel without a contrast and names the strongest layer", () => {
  const { contrast: _contrast, ...data } = CONTRIBUTION;
  const spec = contributionFigure(data);
  assertEquals(spec.data.map(({ y }) => y), [
    [0.2, -0.1, 0.9, 0.3, 1.1, 0.2, -0.3, 0.1],
    [1.7, 1.2, 0.4, 0.3, 0.5, 0.8, 1.1, 1.9],
  ]);
  assertStringIncludes(
    String((spec.layout.meta as PlotlyObject).description),
    "The largest is FFN of layer 7, 1.9 nats.",
  );
});

Deno.test("planFigure() gives the chosen layers, and only them, their colour", () => {
  const bars = planFigure(PLAN).data.filter(({ type }) => type === "bar");
  const idle = bars.filter(({ marker }) => (marker as PlotlyObject).color === TONES.idle.light);
  assertEquals(idle.map(({ x }) => x), [[0, 1, 2, 3, 4, 5, 7], [0, 1, 2, 3, 4, 5], [0, 1, 4, 5, 6, 7]]);
  assertEquals(bars.filter((bar) => !idle.includes(bar)).map(({ x }) => x), [[6], [6, 7], [2, 3]]);
});

Deno.test("planFigure() marks the first layer that could be taken, its label above all bars and on the roomier side", () => {
  const stage = { ...PLAN.stages[0]!, scores: [1, 0.5, 0.25, 0.125] };
  const markAt = (layer: number): { line: unknown; label: PlotlyObject; top: number } => {
    const { shapes, annotations, yaxis } = planFigure({ stages: [{ ...stage, from: { layer, name: "here" } }] }).layout;
    const label = (annotations as PlotlyObject[]).find(({ text }) => text === "here")!;
    const [line] = shapes as PlotlyObject[];
    return { line: [line!.x0, line!.x1], label, top: ((yaxis as PlotlyObject).range as number[])[1]! };
  };
  const early = markAt(1);
  assertEquals([early.line, early.label.xanchor], [[0.5, 0.5], "left"]);
  assert(early.top > 1, "room above the highest bar");
  assertEquals(markAt(3).label.xanchor, "right");
  assertEquals(planFigure({ stages: PLAN.stages.slice(1) }).layout.shapes, []);
});

Deno.test("planFigure() says so where a stage has no layer", () => {
  const spec = planFigure({ stages: [{ name: "Query layers", score: "score", scores: [1, 2], chosen: [] }] });
  assertStringIncludes(String((spec.layout.meta as PlotlyObject).description), "Query layers: none");
});

Deno.test("neuronFigure() keeps the order of the scores and says where there is no neuron", () => {
  const spec = neuronFigure(NEURONS);
  const places = spec.data.flatMap(({ x, y }) => (x as number[]).map((score, at) => [(y as number[])[at], score]));
  const scores = places.sort(([left], [right]) => left - right).map(([, score]) => score);
  assertEquals(scores.length, 12);
  assertEquals(scores, scores.toSorted((left, right) => right - left));
  assertEquals((neuronFigure({ target: " x", neurons: [] }).layout.meta as PlotlyObject).description, "No neurons.");
});

Deno.test("neuronTable() lists the neurons with tokens whose spaces are seen", () => {
  const table = neuronTable({
    target: " x",
    neurons: [{ layer: 3, neuron: 17, score: 0.98765, tokens: [" Paris", "\n"] }],
  });
  assertEquals(table.rows, [[{ text: "1", tone: "muted" }, "L3.17", "0.988", '" Paris" "\\n"']]);
});

Deno.test("neuronName() tells FFN from attention neurons", () => {
  assertEquals(neuronName({ layer: 1, neuron: 2 }), "L1.2");
  assertEquals(neuronName({ layer: 1, head: 3, neuron: 2, kind: "attention" }), "L1.H3.2");
  assertEquals(showToken(' "a'), '" \\"a"');
});

Deno.test("answersFigure() puts each group under one heading and breaks long prompts in a narrow figure", () => {
  const texts = (width: number): string[] =>
    (answersFigure(ANSWERS, { width }).layout.annotations as PlotlyObject[]).map(({ text }) => String(text));
  const headings = texts(880).filter((text) => text.startsWith("<b>"));
  assertEquals(
    headings,
    ["Edited fact", "Paraphrase", "Question", "Two-hop", "Neighbours"].map((name) => `<b>${name}</b>`),
  );
  assert(!texts(880).some((text) => text.includes("<br>")), "one line where there is room");
  assert(texts(340).some((text) => text.includes("<br>")), "more lines where there is not");
});

Deno.test("scoreMapFigure() centres its scale at 0", () => {
  const [trace] = scoreMapFigure({ title: "S", columns: ["0"], columnName: "Head", scores: [[0.5], [-3]] }).data;
  assertEquals([trace.zmin, trace.zmax], [-3, 3]);
  const [flat] = scoreMapFigure({ title: "S", columns: ["0"], columnName: "Head", scores: [[0]] }).data;
  assert(Number(flat.zmin) < Number(flat.zmax), "a map of zeros has a scale");
});

Deno.test("searchFigure() clips a loss of zero, which a logarithmic axis cannot show", () => {
  const spec = searchFigure({ searches: [{ name: "s", nll: [1, 0] }] });
  assertEquals(spec.data[0].y, [1, 1e-4]);
  assertEquals(spec.layout.shapes, []);
});
