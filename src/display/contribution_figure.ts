/**
 * What each layer adds to an answer.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec, significant } from "./figure_spec.ts";
import { BANDS, layerAxis, stackPanels, yAxisOf } from "./panels.ts";
import { type PlotlyObject, TONES, WIDTH } from "./theme.ts";

/** Scores of the two halves of a layer, in nats. */
export interface LayerContribution {
  /** Layer from 0. */
  layer: number;
  /** Score of the attention output. */
  attention: number;
  /** Score of the feed-forward output. */
  mlp: number;
}

/** Input of {@linkcode contributionFigure}. */
export interface ContributionData {
  /** Prompt that was answered. */
  prompt: string;
  /** Answer that is scored. */
  target: string;
  /** Increase of the answer's log-probability by each layer, in nats. */
  value: LayerContribution[];
  /** The same against the alternatives of the answer, in nats. */
  contrast?: LayerContribution[];
}

const SERIES = [
  { key: "attention", name: "Attention", color: TONES.attention.light },
  { key: "mlp", name: "FFN", color: TONES.mlp.light },
] as const;

/**
 * Draws the signed scores of attention and FFN layer by layer, and below them the contrast where it is given.
 *
 * @param data Scores, one entry a layer in order.
 * @param options Width.
 * @returns A figure of one or two panels.
 */
export function contributionFigure(data: ContributionData, options: FigureOptions = {}): FigureSpec {
  const { width = WIDTH } = options;
  const panels = [{ heading: "Increase of log-probability (nats)", scores: data.value }];
  if (data.contrast) {
    panels.push({ heading: "Contrast with the alternatives (nats)", scores: data.contrast });
  }
  const axis = { zeroline: true, zerolinecolor: TONES.axis.light, nticks: 5 };
  const stack = stackPanels(panels.map(({ heading }) => ({ heading, axis })), {
    panelHeight: 150,
    legendHeight: BANDS.legend,
    width,
  });
  const layers = data.value.map(({ layer }) => layer);
  const strongest = [...(data.contrast ?? data.value)]
    .flatMap((entry) => SERIES.map(({ key, name }) => ({ name, layer: entry.layer, score: entry[key] })))
    .sort((left, right) => right.score - left.score)[0];
  return figureSpec({
    title: `What each layer adds to "${data.target.trim()}"`,
    description:
      `Bars of the score of attention and feed-forward output in ${layers.length} layers for the prompt "${data.prompt}".` +
      (strongest
        ? ` The largest is ${strongest.name} of layer ${strongest.layer}, ${significant(strongest.score)} nats.`
        : ""),
    data: panels.flatMap(({ scores }, panel) =>
      SERIES.map(({ key, name, color }): PlotlyObject => ({
        type: "bar",
        name,
        legendgroup: key,
        showlegend: panel === 0,
        yaxis: yAxisOf(panel),
        x: scores.map(({ layer }) => layer),
        y: scores.map((entry) => entry[key]),
        hovertext: scores.map((entry) => escapeText(`${name} ${entry.layer}: ${significant(entry[key])} nats`)),
        hoverinfo: "text",
        marker: { color, line: { width: 0 } },
      }))
    ),
    layout: {
      ...stack.layout,
      barmode: "group",
      xaxis: { ...layerAxis(layers, width), anchor: yAxisOf(panels.length - 1) },
    },
    height: stack.height,
    width,
  });
}
