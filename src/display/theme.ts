/**
 * Colours, type and the one Plotly template that every figure and the report page share.
 *
 * Categorical pairs differ in lightness as well as in hue, so that they stay apart for every kind of colour vision and
 * in a black and white print; signed scores run from blue through the page's own tone to orange.
 *
 * @module
 */

/** The two looks of a figure or page. */
export type Mode = "light" | "dark";

/** A colour in both modes, as `#rrggbb`. */
export interface Tone {
  /** Colour on a light surface. */
  light: string;
  /** Colour on a dark surface. */
  dark: string;
}

/** Name of a colour in {@linkcode TONES}. */
export type ToneName =
  | "ink"
  | "muted"
  | "grid"
  | "axis"
  | "surface"
  | "attention"
  | "mlp"
  | "query"
  | "before"
  | "after"
  | "idle"
  | "low"
  | "zero"
  | "high"
  | "some"
  | "half"
  | "full";

/** Named colours of figures and pages. */
export const TONES: Readonly<Record<ToneName, Tone>> = {
  /** Text. */
  ink: { light: "#1d2430", dark: "#e6e9ef" },
  /** Secondary text: axis labels, notes. */
  muted: { light: "#566072", dark: "#a3adbd" },
  /** Grid lines. */
  grid: { light: "#e5e8ee", dark: "#2b323d" },
  /** Zero lines and thresholds. */
  axis: { light: "#99a2b0", dark: "#687385" },
  /** What a figure is drawn on. */
  surface: { light: "#ffffff", dark: "#181d25" },
  /** Attention. */
  attention: { light: "#2f6fb1", dark: "#72aee8" },
  /** Feed-forward layers. */
  mlp: { light: "#d9701a", dark: "#f2a557" },
  /** Query layers. */
  query: { light: "#7048b6", dark: "#b79df2" },
  /** The object before the edit. */
  before: { light: "#8a94a4", dark: "#768193" },
  /** The object after the edit. */
  after: { light: "#006655", dark: "#62e2c5" },
  /** What was not chosen. */
  idle: { light: "#c8ced8", dark: "#414b5a" },
  /** Most negative end of a signed scale. */
  low: { light: "#1f63a8", dark: "#6ab0ee" },
  /** Zero of a signed scale. */
  zero: { light: "#f4f5f8", dark: "#202732" },
  /** Most positive end of a signed scale. */
  high: { light: "#b8540a", dark: "#f3a04a" },
  /** Steps of the scale from nothing to much, after `zero`. */
  some: { light: "#b9d2ea", dark: "#24486c" },
  /** Second step of that scale. */
  half: { light: "#5d98cd", dark: "#3a7db9" },
  /** Last step of that scale. */
  full: { light: "#123f70", dark: "#bfe0ff" },
};

/** Font stack of figures and pages: all of its members have the widths of Helvetica, which layout is computed from. */
export const FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";

/** Size of the labels in a figure, in pixels. */
export const FONT_SIZE = 13;

/** Default width of a figure, in pixels. */
export const WIDTH = 880;

/** A Plotly colour scale: pairs of position in 0..1 and colour. */
export type ColorScale = [number, string][];

/** Scale of signed scores, to be centred at 0: blue, the surface's tone, orange. */
export const DIVERGING: ColorScale = [[0, TONES.low.light], [0.5, TONES.zero.light], [1, TONES.high.light]];

/** Scale of quantities that start at 0, such as probabilities. */
export const SEQUENTIAL: ColorScale = [
  [0, TONES.zero.light],
  [0.33, TONES.some.light],
  [0.66, TONES.half.light],
  [1, TONES.full.light],
];

const DARK_OF = new Map<string, string>(Object.values(TONES).map(({ light, dark }) => [light, dark]));

/**
 * Finds the dark counterpart of a light colour.
 *
 * @param color A colour of {@linkcode TONES} as `#rrggbb`.
 * @returns Its dark form, or undefined for a colour that the theme does not know.
 */
export function darkOf(color: string): string | undefined {
  return DARK_OF.get(color.toLowerCase());
}

/** Part of a Plotly document: what JSON can hold. */
export type PlotlyValue = string | number | boolean | null | PlotlyValue[] | { [key: string]: PlotlyValue };

/** An object of a Plotly document. */
export type PlotlyObject = { [key: string]: PlotlyValue };

const AXIS: PlotlyObject = {
  gridcolor: TONES.grid.light,
  zeroline: false,
  linecolor: TONES.axis.light,
  ticks: "",
  tickfont: { color: TONES.muted.light, size: FONT_SIZE },
  title: { font: { color: TONES.muted.light, size: FONT_SIZE }, standoff: 12 },
  automargin: true,
  ticklabelstandoff: 5,
  fixedrange: true,
};

/** The template of every figure, in light colours; {@linkcode recolor} makes the dark one. */
export const TEMPLATE: PlotlyObject = {
  layout: {
    font: { family: FONT, size: FONT_SIZE, color: TONES.ink.light },
    title: {
      font: { size: 17, color: TONES.ink.light },
      x: 0,
      xref: "paper",
      xanchor: "left",
      y: 0.98,
      yanchor: "top",
    },
    paper_bgcolor: TONES.surface.light,
    plot_bgcolor: TONES.surface.light,
    hoverlabel: { font: { family: FONT, size: FONT_SIZE } },
    bargap: 0.28,
    bargroupgap: 0.06,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", font: { size: FONT_SIZE } },
    xaxis: AXIS,
    yaxis: AXIS,
  },
};

/**
 * Rewrites a Plotly document from light to dark colours.
 *
 * @param value Document or part of one, in light colours.
 * @param mode `light` returns it unchanged.
 * @returns A copy in which every colour of the theme has its form of `mode`.
 */
export function recolor<T extends PlotlyValue>(value: T, mode: Mode): T {
  if (mode === "light") return value;
  const visit = (part: PlotlyValue): PlotlyValue => {
    if (typeof part === "string") return darkOf(part) ?? part;
    if (Array.isArray(part)) return part.map(visit);
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, visit(inner)]));
  };
  return visit(value) as T;
}

/**
 * Mixes the colour of a scale at a position, in linear steps of sRGB as Plotly does.
 *
 * @param scale Positions in ascending order from 0 to 1.
 * @param position Where to read, clipped to 0..1.
 * @returns Colour as `#rrggbb`.
 */
export function scaleColor(scale: ColorScale, position: number): string {
  const at = Math.min(1, Math.max(0, position));
  const upper = Math.max(1, scale.findIndex(([stop]) => stop >= at));
  const [from, below] = scale[upper - 1];
  const [to, above] = scale[upper];
  const share = (at - from) / (to - from);
  const mixed = channels(below).map((low, index) => Math.round(low + share * (channels(above)[index] - low)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * Estimates how light a colour is, to choose the ink that is read on it.
 *
 * @param color Colour as `#rrggbb`.
 * @returns Relative luminance in 0..1 (WCAG 2.2).
 */
export function luminance(color: string): number {
  const [red, green, blue] = channels(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16));
}
