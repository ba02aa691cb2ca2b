/**
 * Figures as values: what a figure function states, completed to a Plotly document.
 *
 * @module
 */
import { type PlotlyObject, type PlotlyValue, TEMPLATE, WIDTH } from "./theme.ts";

/** A Plotly document of plain arrays, in the light colours of the theme. */
export interface FigureSpec {
  /** Traces. */
  data: PlotlyObject[];
  /** Layout with fixed `width` and `height` in pixels, a title, and `meta.description` for readers who cannot see it. */
  layout: PlotlyObject;
  /** Plotly's options. */
  config: PlotlyObject;
}

/** Options of every figure function. */
export interface FigureOptions {
  /** Width in pixels, default {@linkcode WIDTH}; a page for small screens asks for about 340. */
  width?: number;
}

/** What a figure function states; the rest comes from the template. */
export interface FigureParts {
  /** Title, a short sentence without a period. */
  title: string;
  /** One or two sentences that say what is drawn, read aloud in place of the picture. */
  description: string;
  /** Traces. */
  data: PlotlyObject[];
  /** Layout on top of the template. */
  layout: PlotlyObject;
  /** Height in pixels. */
  height: number;
  /** Width in pixels, default {@linkcode WIDTH}. */
  width?: number | undefined;
}

/** Digits that a figure keeps of a number: more cannot be seen and makes files large. */
const DIGITS = 4;

/** Points of a trace above which it is thinned. */
const MAX_POINTS = 2000;

/** Keys of a trace that hold one entry a point. */
const POINT_KEYS = ["x", "y", "text", "hovertext", "customdata"];

/**
 * Rounds to 4 significant digits; whole numbers, which count or name something, stay.
 *
 * @param value Any number; what is not finite becomes null, which Plotly draws as a gap.
 * @returns The rounded number.
 */
export function significant(value: number): number | null {
  if (Number.isInteger(value)) return value;
  return Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null;
}

/**
 * Assembles a figure: template, title and size, numbers rounded, long traces thinned.
 *
 * @param parts What the figure shows.
 * @returns A document that holds nothing but JSON.
 */
export function figureSpec(parts: FigureParts): FigureSpec {
  const { title, description, data, layout, height, width = WIDTH } = parts;
  return {
    data: data.map((trace) => tidy(thin(trace)) as PlotlyObject),
    layout: tidy({
      template: TEMPLATE,
      title: { text: escapeText(title) },
      width,
      height: Math.round(height),
      margin: { l: 64, r: 24, t: 84, b: 56 },
      ...layout,
      meta: { description },
    }) as PlotlyObject,
    config: { displaylogo: false, responsive: false, displayModeBar: false },
  };
}

/**
 * Escapes text for Plotly, which reads a few HTML tags in titles and labels.
 *
 * @param text Any text, such as a token; line feeds become line breaks.
 * @returns Text that Plotly shows as it is.
 */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
}

/**
 * Undoes {@linkcode escapeText}, and turns Plotly's line breaks into ours.
 *
 * @param text Text of a Plotly document.
 * @returns Plain text.
 */
export function unescapeText(text: string): string {
  return text.replaceAll("<br>", "\n").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/**
 * Reads the title of a figure.
 *
 * @param spec A figure.
 * @returns Its title as plain text, or an empty text.
 */
export function titleOf(spec: FigureSpec): string {
  const title = (spec.layout.title as PlotlyObject | undefined)?.text ?? "";
  return unescapeText(String(title));
}

/**
 * Describes a figure in words: title, and the range of each trace's values.
 *
 * @param spec A figure.
 * @returns A few lines of plain text.
 */
export function describeFigure(spec: FigureSpec): string {
  const lines = spec.data.map((trace, index) => {
    const key = trace.z !== undefined ? "z" : trace.orientation === "h" ? "x" : "y";
    const values = flatNumbers(trace[key] ?? []);
    const name = typeof trace.name === "string" ? trace.name : `trace ${index + 1}`;
    if (values.length === 0) return `  ${name}: no values`;
    if (values.length === 1) return `  ${name}: 1 value, ${significant(values[0]!)}`;
    const [least, most] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
      Infinity,
      -Infinity,
    ]);
    return `  ${name}: ${values.length} values from ${significant(least)} to ${significant(most)}`;
  });
  return [titleOf(spec) || "Figure", ...lines].join("\n");
}

function tidy(value: PlotlyValue): PlotlyValue {
  if (typeof value === "number") return significant(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, (item) => significant(item));
  if (Array.isArray(value)) return value.map(tidy);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, tidy(inner)]));
}

/** Keeps the least and the greatest point of each stretch, so that no peak is lost. */
function thin(trace: PlotlyObject): PlotlyObject {
  const values = trace.y;
  if (!Array.isArray(values) || values.length <= MAX_POINTS || trace.z !== undefined) return trace;
  const kept = new Set<number>();
  const stretches = MAX_POINTS / 2;
  for (let part = 0; part < stretches; part++) {
    const start = Math.floor((part * values.length) / stretches);
    const end = Math.floor(((part + 1) * values.length) / stretches);
    let least = start;
    let most = start;
    for (let index = start; index < end; index++) {
      if (Number(values[index]) < Number(values[least])) least = index;
      if (Number(values[index]) > Number(values[most])) most = index;
    }
    kept.add(least).add(most);
  }
  const order = [...kept].sort((left, right) => left - right);
  const thinned = POINT_KEYS.filter((key) => Array.isArray(trace[key]))
    .map((key) => [key, order.map((index) => (trace[key] as PlotlyValue[])[index])]);
  return { ...trace, x: order, ...Object.fromEntries(thinned) };
}

function flatNumbers(value: PlotlyValue): number[] {
  if (Array.isArray(value)) return value.flatMap(flatNumbers);
  return typeof value === "number" ? [value] : [];
}
