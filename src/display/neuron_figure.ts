/**
 * The neurons that recall a fact, with the tokens they promote.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec, significant } from "./figure_spec.ts";
import { fitWidth } from "./glyph_width.ts";
import { BANDS, heading, legendAbove } from "./panels.ts";
import { type Table } from "./table.ts";
import { FONT_SIZE, type PlotlyObject, TONES, WIDTH } from "./theme.ts";

/** Score of one neuron. */
export interface NeuronScore {
  /** Layer from 0. */
  layer: number;
  /** Neuron within the layer, or within the head. */
  neuron: number;
  /** Increase of the answer's log-probability, in nats. */
  score: number;
  /** Tokens that the neuron promotes most, strongest first. */
  tokens: string[];
  /** Where the neuron is; FFN unless given. */
  kind?: "mlp" | "attention";
  /** Head of an attention neuron. */
  head?: number;
}

/** Input of {@linkcode neuronFigure} and {@linkcode neuronTable}. */
export interface NeuronData {
  /** Answer that is scored. */
  target: string;
  /** Neurons, highest score first. */
  neurons: NeuronScore[];
  /** Whether scores compare with other answers instead of all tokens. */
  contrast?: boolean;
}

/** Neurons in the chart; the table holds as many as are asked for. */
const SHOWN = 15;

const ROW = 26;

const KINDS = [
  { kind: "mlp", name: "FFN neuron", color: TONES.mlp.light },
  { kind: "attention", name: "Attention neuron", color: TONES.attention.light },
] as const;

/**
 * Draws the highest neurons as bars, each with the tokens it promotes.
 *
 * @param data Neurons, of which the first 15 are drawn.
 * @param options Width.
 * @returns A figure.
 */
export function neuronFigure(data: NeuronData, options: FigureOptions = {}): FigureSpec {
  const { width = WIDTH } = options;
  const neurons = data.neurons.slice(0, SHOWN);
  const rows = neurons.map((neuron, row) => ({ ...neuron, row, kind: neuron.kind ?? "mlp" }));
  const kinds = KINDS.filter(({ kind }) => rows.some((row) => row.kind === kind));
  const plotHeight = ROW * Math.max(1, rows.length);
  const legend = kinds.length > 1 ? BANDS.legend : 0;
  const top = BANDS.title + legend + BANDS.heading;
  const split = width < 500 ? 0.34 : 0.56;
  const room = (1 - split - 0.04) * (width - 76 - 12);
  return figureSpec({
    title: data.contrast
      ? `Neurons that tell "${data.target.trim()}" from other answers`
      : `Neurons that raise "${data.target.trim()}" most`,
    description: neurons.length === 0
      ? "No neurons."
      : `Bars of the ${neurons.length} highest neuron scores; the first is ${neuronName(neurons[0])} with ${
        significant(neurons[0].score)
      } nats, which promotes ${neurons[0].tokens.slice(0, 5).map(showToken).join(", ")}.`,
    data: kinds.map(({ kind, name, color }): PlotlyObject => {
      const own = rows.filter((row) => row.kind === kind);
      return {
        type: "bar",
        orientation: "h",
        name,
        x: own.map(({ score }) => score),
        y: own.map(({ row }) => row),
        width: own.map(() => 0.68),
        hovertext: own.map((row) =>
          escapeText(`${neuronName(row)}: ${significant(row.score)} nats\n${tokenList(row)}`)
        ),
        hoverinfo: "text",
        marker: { color, line: { width: 0 } },
      };
    }),
    layout: {
      barmode: "overlay",
      showlegend: legend > 0,
      legend: legendAbove(width - 76, plotHeight),
      margin: { l: 64, r: 12, t: top, b: BANDS.below },
      xaxis: {
        title: {
          text: width < 500 ? "Score (nats)" : data.contrast ? "Contrast (nats)" : "Increase of log-probability (nats)",
        },
        domain: [0, split],
        nticks: width < 500 ? 3 : 6,
        zeroline: true,
        zerolinecolor: TONES.axis.light,
      },
      yaxis: {
        range: [rows.length - 0.4, -0.6],
        tickvals: rows.map(({ row }) => row),
        ticktext: rows.map((row) => neuronName(row)),
        tickfont: { color: TONES.ink.light },
        showgrid: false,
      },
      annotations: [
        heading("Score", 0, 1),
        heading("Tokens it promotes", split + 0.04, 1),
        ...rows.map((row): PlotlyObject => ({
          text: escapeText(fitWidth(row.tokens.map(plainToken).join(", "), FONT_SIZE, room)),
          x: split + 0.04,
          y: row.row,
          xref: "paper",
          yref: "y",
          xanchor: "left",
          yanchor: "middle",
          showarrow: false,
          font: { size: FONT_SIZE, color: TONES.ink.light },
        })),
      ],
    },
    height: top + plotHeight + BANDS.below,
    width,
  });
}

/**
 * Lists neurons with their scores and tokens.
 *
 * @param data Neurons.
 * @param limit Rows at most, default 20.
 * @returns A table.
 */
export function neuronTable(data: NeuronData, limit = 20): Table {
  return {
    columns: [
      { header: "#", align: "right" },
      { header: "neuron" },
      { header: "score (nats)", align: "right" },
      { header: "tokens it promotes" },
    ],
    rows: data.neurons.slice(0, limit).map((neuron, index) => [
      { text: String(index + 1), tone: "muted" },
      neuronName(neuron),
      neuron.score.toFixed(3),
      tokenList(neuron),
    ]),
  };
}

/** What the names of {@linkcode neuronName} mean, for whoever sees them first. */
export const NEURON_NAMES =
  "L4.82 is neuron 82 of the FFN in layer 4, L4.H3.21 component 21 of attention head 3 in that layer.";

/**
 * Names a neuron in a few characters.
 *
 * @param neuron Its place.
 * @returns `L5.123` for an FFN neuron, `L5.H2.17` for an attention neuron.
 */
export function neuronName(neuron: Pick<NeuronScore, "layer" | "neuron" | "kind" | "head">): string {
  const { layer, head, neuron: number } = neuron;
  return neuron.kind === "attention" ? `L${layer}.H${head ?? 0}.${number}` : `L${layer}.${number}`;
}

/**
 * Writes a token so that its spaces and line breaks are seen.
 *
 * @param token Text of a token.
 * @returns The token in double quotes, escaped.
 */
export function showToken(token: string): string {
  return JSON.stringify(token);
}

function tokenList(neuron: NeuronScore): string {
  return neuron.tokens.map(showToken).join(" ");
}

function plainToken(token: string): string {
  return token.trim() === "" ? showToken(token) : token.trim();
}
