/**
 * How a target search went.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec, significant } from "./figure_spec.ts";
import { BANDS, stackPanels } from "./panels.ts";
import { type PlotlyObject, TONES, WIDTH } from "./theme.ts";

/** The steps of one search. */
export interface SearchTrace {
  /** Name of the search, for instance its stage and layer. */
  name: string;
  /** Negative log-likelihood of the target at each step, in nats, from before the first step. */
  nll: number[];
}

/** Input of {@linkcode searchFigure}. */
export interface SearchData {
  /** Searches, in the order in which they ran. */
  searches: SearchTrace[];
  /** Loss at which a search stops, in nats. */
  stop?: number;
}

/** Looks of the lines; the dashes tell them apart where the colours do not. */
const LINES = [
  { color: TONES.query.light, dash: "solid" },
  { color: TONES.mlp.light, dash: "dash" },
  { color: TONES.attention.light, dash: "dot" },
  { color: TONES.after.light, dash: "dashdot" },
  { color: TONES.before.light, dash: "longdash" },
];

/** Least value on the logarithmic axis. */
const FLOOR = 1e-4;

/**
 * Draws the loss of each search by step on a logarithmic axis, with the loss at which it stops.
 *
 * @param data Searches.
 * @param options Width.
 * @returns A figure.
 */
export function searchFigure(data: SearchData, options: FigureOptions = {}): FigureSpec {
  const { width = WIDTH } = options;
  const { searches, stop } = data;
  const stack = stackPanels([{
    heading: "Loss of the new answer (nats, log scale)",
    axis: { type: "log", dtick: 1, exponentformat: "none" },
  }], { panelHeight: 220, legendHeight: BANDS.legend, width });
  const steps = Math.max(1, ...searches.map(({ nll }) => nll.length - 1));
  return figureSpec({
    title: "The search for the new target",
    description: searches.map(({ name, nll }) =>
      `${name}: from ${significant(nll[0])} to ${significant(nll.at(-1) ?? NaN)} nats in ${nll.length - 1} steps.`
    ).join(" "),
    data: searches.map(({ name, nll }, index): PlotlyObject => {
      const { color, dash } = LINES[index % LINES.length];
      return {
        type: "scatter",
        mode: nll.length > 40 ? "lines" : "lines+markers",
        name: escapeText(name),
        showlegend: true,
        x: nll.map((_, step) => step),
        y: nll.map((loss) => Math.max(loss, FLOOR)),
        hovertext: nll.map((loss, step) => escapeText(`${name}, step ${step}: ${significant(loss)} nats`)),
        hoverinfo: "text",
        line: { color, dash, width: 2 },
        marker: { color, size: 6 },
      };
    }),
    layout: {
      ...stack.layout,
      xaxis: { title: { text: "Step" }, range: [-0.02 * steps, 1.02 * steps], showgrid: false },
      shapes: stop === undefined ? [] : [{
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        y0: stop,
        y1: stop,
        line: { color: TONES.axis.light, width: 1.5, dash: "dot" },
      }],
      annotations: [
        ...(stack.layout.annotations as PlotlyObject[]),
        ...(stop === undefined ? [] : [{
          text: `stops at ${significant(stop)}`,
          xref: "paper",
          x: 0,
          y: Math.log10(stop),
          xanchor: "left",
          yanchor: "bottom",
          showarrow: false,
          font: { color: TONES.muted.light, size: 12 },
        }]),
      ],
    },
    height: stack.height,
    width,
  });
}
