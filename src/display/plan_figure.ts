/**
 * Which layers an edit uses, and the scores that chose them.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec, significant } from "./figure_spec.ts";
import { BANDS, layerAxis, stackPanels, yAxisOf } from "./panels.ts";
import { type PlotlyObject, TONES, WIDTH } from "./theme.ts";

/** One stage of a plan, such as value layers or query layers. */
export interface PlanStage {
  /** Name of the stage, for instance `Value layers`. */
  name: string;
  /** What the score is, with its unit, for instance `contrast of the FFN output (nats)`. */
  score: string;
  /** Score of every layer in order, from layer 0. */
  scores: number[];
  /** Layers that the plan takes. */
  chosen: number[];
  /** First layer that the plan could take, marked by a line, and what happens there. Default: it could take every one. */
  from?: { layer: number; name: string };
  /** Another score of every layer, drawn as marks for comparison. */
  beside?: { name: string; scores: number[] };
}

/** Input of {@linkcode planFigure}. */
export interface PlanData {
  /** Stages in the order of the edit. */
  stages: PlanStage[];
}

/** Room for a label above the bars, as a share of their range. */
const LABEL_SHARE = 0.25;

/**
 * Draws a panel for each stage of a plan: bars of the score by layer, those of the chosen layers in full colour.
 *
 * @param data Stages.
 * @param options Width.
 * @returns A figure of one panel a stage.
 */
export function planFigure(data: PlanData, options: FigureOptions = {}): FigureSpec {
  const { width = WIDTH } = options;
  const { stages } = data;
  const nLayers = Math.max(0, ...stages.map(({ scores }) => scores.length));
  const stack = stackPanels(
    stages.map((stage) => {
      const heading = `${stage.name}: ${listLayers(stage.chosen)}`;
      return { heading: width < 500 ? heading : `${heading}, by ${stage.score}`, axis: stageAxis(stage) };
    }),
    { panelHeight: 130, legendHeight: legendRows(stages, width) * BANDS.legend, width },
  );
  return figureSpec({
    title: "The layers that the edit uses",
    description: stages.map(({ name, score, chosen, from }) =>
      `${name}: ${listLayers(chosen)}, chosen by ${score}${from ? ` from layer ${from.layer} on, ${from.name}` : ""}.`
    ).join(" "),
    data: stages.flatMap((stage, panel) => stageTraces(stage, panel, stages)),
    layout: {
      ...stack.layout,
      barmode: "overlay",
      bargap: 0.4,
      xaxis: {
        ...layerAxis(Array.from({ length: nLayers }, (_, layer) => layer), width),
        anchor: yAxisOf(stages.length - 1),
      },
      shapes: stages.flatMap(({ from }, panel) => from ? [fromLine(from.layer, panel)] : []),
      annotations: [
        ...(stack.layout.annotations as PlotlyObject[]),
        ...stages.flatMap(({ from }, panel) => from ? [fromLabel(from, panel, nLayers)] : []),
      ],
    },
    height: stack.height,
    width,
  });
}

/** Marks of another score have a row of their own where it is narrow. */
function legendRows(stages: readonly PlanStage[], width: number): number {
  return width < 500 && stages.some(({ beside }) => beside) ? 2 : 1;
}

/** Leaves room above the bars where the line has its label. */
function stageAxis({ scores, beside, from }: PlanStage): PlotlyObject {
  const axis = { zeroline: true, zerolinecolor: TONES.axis.light, nticks: 5 };
  if (!from) return axis;
  const values = [0, ...scores, ...(beside?.scores ?? [])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { ...axis, range: [low, high + LABEL_SHARE * (high - low || 1)] };
}

/** A line between a layer and the one before. */
function fromLine(layer: number, panel: number): PlotlyObject {
  return {
    type: "line",
    x0: layer - 0.5,
    x1: layer - 0.5,
    yref: `${yAxisOf(panel)} domain`,
    y0: 0,
    y1: 1,
    line: { color: TONES.axis.light, width: 1.5, dash: "dot" },
  };
}

/** The label of that line, on its roomier side. */
function fromLabel({ layer, name }: { layer: number; name: string }, panel: number, nLayers: number): PlotlyObject {
  const left = layer > nLayers / 2;
  return {
    text: escapeText(name),
    x: layer - 0.5,
    xshift: left ? -4 : 4,
    xanchor: left ? "right" : "left",
    yref: `${yAxisOf(panel)} domain`,
    y: 1,
    yanchor: "top",
    showarrow: false,
    font: { color: TONES.muted.light, size: 12 },
  };
}

function stageTraces(stage: PlanStage, panel: number, stages: readonly PlanStage[]): PlotlyObject[] {
  const chosen = new Set(stage.chosen);
  const bars = (name: string, layers: number[], color: string): PlotlyObject => ({
    type: "bar",
    name,
    // Each kind of mark once.
    showlegend: panel === 0,
    yaxis: yAxisOf(panel),
    x: layers,
    y: layers.map((layer) => stage.scores[layer]),
    hovertext: layers.map((layer) => `Layer ${layer}: ${significant(stage.scores[layer])}`),
    hoverinfo: "text",
    marker: { color, line: { width: 0 } },
  });
  const all = stage.scores.map((_, layer) => layer);
  const traces = [
    bars("Chosen", all.filter((layer) => chosen.has(layer)), TONES.mlp.light),
    bars("Not chosen", all.filter((layer) => !chosen.has(layer)), TONES.idle.light),
  ];
  const { beside } = stage;
  if (beside) {
    traces.push({
      type: "scatter",
      mode: "markers",
      name: beside.name,
      showlegend: stages.findIndex((other) => other.beside?.name === beside.name) === panel,
      yaxis: yAxisOf(panel),
      x: all,
      y: beside.scores,
      hovertext: all.map((layer) => `Layer ${layer}, ${beside.name}: ${significant(beside.scores[layer])}`),
      hoverinfo: "text",
      marker: { symbol: "line-ew", size: 18, line: { width: 2, color: TONES.ink.light }, color: TONES.ink.light },
    });
  }
  return traces;
}

function listLayers(layers: number[]): string {
  return layers.length === 0 ? "none" : layers.join(", ");
}
