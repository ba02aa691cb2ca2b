/**
 * Heat maps by layer: the logit lens, and signed scores of heads or positions.
 *
 * @module
 */
import { escapeText, type FigureOptions, type FigureSpec, figureSpec, significant } from "./figure_spec.ts";
import { textWidth } from "./glyph_width.ts";
import { BANDS } from "./panels.ts";
import { DIVERGING, FONT_SIZE, type PlotlyObject, SEQUENTIAL, TONES, WIDTH } from "./theme.ts";

/** What the lens reads at one layer and position. */
export interface LensCell {
  /** Most likely token. */
  token: string;
  /** Its probability, in 0..1. */
  probability: number;
}

/** Input of {@linkcode lensFigure}. */
export interface LensData {
  /** Tokens of the prompt, one a position. */
  tokens: string[];
  /** What is read after each layer, [nLayers, pos]. */
  cells: LensCell[][];
}

/** Input of {@linkcode scoreMapFigure}. */
export interface ScoreMapData {
  /** Title, a short sentence without a period. */
  title: string;
  /** Signed scores, [nLayers, columns], in nats. */
  scores: number[][];
  /** Labels of the columns, for instance heads or the tokens of a prompt. */
  columns: string[];
  /** What a column is, for instance `Head`. */
  columnName: string;
}

const ROW = 30;

/**
 * Draws the logit lens: the token that each layer would predict at each position, and how surely.
 *
 * @param data Tokens and cells.
 * @param options Width.
 * @returns A heat map with layer 0 at the bottom.
 */
export function lensFigure(data: LensData, options: FigureOptions = {}): FigureSpec {
  const last = data.cells.at(-1)?.at(-1);
  return heatMap(
    {
      title: "What each layer would predict next",
      description:
        `Most likely token of the logit lens in ${data.cells.length} layers at ${data.tokens.length} positions.` +
        (last
          ? ` The last layer predicts ${JSON.stringify(last.token)} with probability ${significant(last.probability)}.`
          : ""),
      columns: data.tokens,
      columnName: "Prompt token",
      unit: "Probability",
      z: data.cells.map((row) => row.map(({ probability }) => probability)),
      text: data.cells.map((row) => row.map(({ token }) => token.trim() || JSON.stringify(token))),
      limits: [0, 1],
      signed: false,
    },
    options,
  );
}

/**
 * Draws signed scores by layer and column on a scale centred at 0.
 *
 * @param data Scores.
 * @param options Width.
 * @returns A heat map with layer 0 at the bottom.
 */
export function scoreMapFigure(data: ScoreMapData, options: FigureOptions = {}): FigureSpec {
  const bound = Math.max(...data.scores.flat().map(Math.abs), Number.MIN_VALUE);
  return heatMap(
    {
      title: data.title,
      description: `${data.title}: scores of ${data.scores.length} layers, at most ${significant(bound)} nats in size.`,
      columns: data.columns,
      columnName: data.columnName,
      unit: "Score (nats)",
      z: data.scores,
      text: data.scores.map((row) => row.map((score) => score.toFixed(2))),
      limits: [-bound, bound],
      signed: true,
    },
    options,
  );
}

interface HeatMap {
  title: string;
  description: string;
  columns: string[];
  columnName: string;
  unit: string;
  z: number[][];
  text: string[][];
  limits: [number, number];
  signed: boolean;
}

function heatMap(map: HeatMap, options: FigureOptions): FigureSpec {
  const { width = WIDTH } = options;
  const { columns, z, text } = map;
  const top = BANDS.title + 8;
  const longest = Math.max(0, ...columns.map((label) => textWidth(label.trim(), FONT_SIZE)));
  const upright = longest + 8 > (width - 120) / Math.max(1, columns.length);
  const below = BANDS.below + (upright ? Math.max(0, Math.ceil(longest) - FONT_SIZE) : 0);
  const trace: PlotlyObject = {
    type: "heatmap",
    name: map.unit,
    z,
    text: text.map((row) => row.map(escapeText)),
    texttemplate: "%{text}",
    hovertext: z.map((row, layer) =>
      row.map((value, col) => escapeText(`Layer ${layer}, ${columns[col]}\n${text[layer][col]}: ${significant(value)}`))
    ),
    hoverinfo: "text",
    zmin: map.limits[0],
    zmax: map.limits[1],
    colorscale: map.signed ? DIVERGING : SEQUENTIAL,
    xgap: 1,
    ygap: 1,
    showscale: width >= 500,
    colorbar: {
      title: { text: map.unit, side: "top", font: { size: 12, color: TONES.muted.light } },
      tickfont: { size: 12, color: TONES.muted.light },
      thickness: 12,
      outlinewidth: 0,
      ticks: "",
      nticks: 5,
      len: 1,
      lenmode: "fraction",
      ypad: 0,
    },
  };
  return figureSpec({
    title: map.title,
    description: map.description,
    data: [trace],
    layout: {
      margin: { l: 48, r: 12, t: top, b: below },
      xaxis: {
        title: { text: map.columnName },
        tickvals: columns.map((_, index) => index),
        ticktext: columns.map((label) => escapeText(label.trim() || JSON.stringify(label))),
        tickangle: upright ? -90 : 0,
        showgrid: false,
      },
      yaxis: {
        title: { text: "Layer" },
        tickvals: z.map((_, layer) => layer),
        showgrid: false,
      },
    },
    height: top + ROW * z.length + below,
    width,
  });
}
