/**
 * Heat-map cells of static pictures: rectangles with their labels, where Plotly would place one bitmap.
 *
 * @module
 */
import { type FigureSpec, unescapeText } from "./figure_spec.ts";
import { fitWidth, textWidth } from "./glyph_width.ts";
import { type StageElement } from "./stage_dom.ts";
import { type ColorScale, luminance, type PlotlyObject, recolor, scaleColor, SEQUENTIAL, TONES } from "./theme.ts";

/** Sets the colour of an element in the look of the picture. */
export type Paint = (element: StageElement, property: "fill", light: string, dark: string) => void;

/** Space between cells, in pixels. */
const GAP = 1;

/** Space between a label and the side of its cell, in pixels. */
const PADDING = 3;

/** Font sizes of labels, in pixels: the small one where the usual one does not fit. */
const SIZES = { usual: 12, small: 10 };

/** Luminance at which black and white text have the same contrast (WCAG 2.2). */
const EVEN = 0.179;

/**
 * Replaces the bitmap of every heat map of a picture by its cells.
 *
 * @param root Outermost element of the SVG that Plotly drew.
 * @param spec The figure that was drawn.
 * @param make Makes an SVG element.
 * @param paint Sets a colour.
 */
export function drawCells(
  root: StageElement,
  spec: FigureSpec,
  make: (name: string) => StageElement,
  paint: Paint,
): void {
  const traces = spec.data.filter((trace) => trace.type === "heatmap");
  [...root.querySelectorAll(".hm")].forEach((map, index) => {
    const [image] = map.querySelectorAll("image");
    const frame = { x: 0, y: 0, width: 0, height: 0 };
    for (const side of ["x", "y", "width", "height"] as const) frame[side] = Number(image.getAttribute(side));
    const cells = heatmapCells(traces[index], isReversed(spec, traces[index]));
    const drawn = make("g");
    for (const cell of cells) drawn.append(...drawCell(cell, frame, make, paint));
    map.replaceWith(drawn);
  });
}

/** One cell: place and size as shares of the map, position on the scale, texts. */
interface Cell {
  left: number;
  top: number;
  width: number;
  height: number;
  light: string;
  dark: string;
  label: string;
  hover: string;
}

function heatmapCells(trace: PlotlyObject, reversed: boolean): Cell[] {
  const rows = trace.z as (number | null)[][];
  const values = rows.flat().filter((value) => value !== null);
  const least = Number(trace.zmin ?? Math.min(...values));
  const span = Number(trace.zmax ?? Math.max(...values)) - least || 1;
  const light = (trace.colorscale ?? SEQUENTIAL) as ColorScale;
  const dark = recolor(light, "dark");
  const pick = (key: string, row: number, col: number): string =>
    String((trace[key] as string[][] | undefined)?.[row]?.[col] ?? "");
  return rows.flatMap((row, rowIndex) =>
    row.flatMap((value, col) => {
      if (value === null) return [];
      const position = (value - least) / span;
      const top = (reversed ? rowIndex : rows.length - 1 - rowIndex) / rows.length;
      return {
        left: col / row.length,
        top,
        width: 1 / row.length,
        height: 1 / rows.length,
        light: scaleColor(light, position),
        dark: scaleColor(dark, position),
        label: pick("text", rowIndex, col),
        hover: pick("hovertext", rowIndex, col),
      };
    })
  );
}

function drawCell(
  cell: Cell,
  frame: { x: number; y: number; width: number; height: number },
  make: (name: string) => StageElement,
  paint: Paint,
): StageElement[] {
  const x = frame.x + cell.left * frame.width;
  const y = frame.y + cell.top * frame.height;
  const width = cell.width * frame.width;
  const height = cell.height * frame.height;
  const box = make("rect");
  const sides = { x: x + GAP / 2, y: y + GAP / 2, width: width - GAP, height: height - GAP, rx: 2 };
  for (const [name, value] of Object.entries(sides)) box.setAttribute(name, String(value));
  paint(box, "fill", cell.light, cell.dark);
  if (cell.hover !== "") {
    const title = make("title");
    title.append(unescapeText(cell.hover));
    box.append(title);
  }
  const whole = unescapeText(cell.label);
  const room = width - 2 * PADDING;
  const size = Math.min(textWidth(whole, SIZES.usual) > room ? SIZES.small : SIZES.usual, height - 2 * PADDING);
  const label = fitWidth(whole, size, room);
  if (label === "") return [box];
  const text = make("text");
  const place = { x: x + width / 2, y: y + height / 2 + 0.35 * size, "font-size": size, "text-anchor": "middle" };
  for (const [name, value] of Object.entries(place)) text.setAttribute(name, String(value));
  text.setAttribute("font-family", "Helvetica, Arial, 'Liberation Sans', sans-serif");
  text.setAttribute("pointer-events", "none");
  paint(text, "fill", inkOn(cell.light), inkOn(cell.dark));
  text.append(label);
  return [box, text];
}

function inkOn(color: string): string {
  return luminance(color) > EVEN ? TONES.ink.light : TONES.ink.dark;
}

/** Whether the first row of a heat map stands at the top. */
function isReversed(spec: FigureSpec, trace: PlotlyObject): boolean {
  const axis = String(trace.yaxis ?? "y").replace("y", "yaxis");
  return (spec.layout[axis] as PlotlyObject | undefined)?.autorange === "reversed";
}
