/**
 * Static pictures: a Plotly document drawn to SVG without a browser, the same bytes for the same document.
 *
 * @module
 */
import { type FigureSpec, unescapeText } from "./figure_spec.ts";
import { BANDS } from "./panels.ts";
import { plotlyStage } from "./plotly_stage.ts";
import { type StageDocument, type StageElement } from "./stage_dom.ts";
import { drawCells, type Paint } from "./svg_cells.ts";
import { fixTextWidths } from "./svg_boxes.ts";
import { darkOf, type Mode, type PlotlyObject, recolor } from "./theme.ts";

/** Options of {@linkcode renderSvg}. */
export interface RenderSvgOptions {
  /** `adaptive` follows the `color-scheme` of the page that the SVG stands in; default `light`. */
  mode?: Mode | "adaptive";
  /** Prefix of the ids inside, to be unique within a page; default `figure`. */
  id?: string;
  /** Whether the title is drawn; a page that sets it as a caption leaves it out. Default true. */
  title?: boolean;
}

const SVG = "http://www.w3.org/2000/svg";

/** Attributes that hold lengths in pixels. */
const MEASURES = ["d", "transform", "x", "y", "width", "height"];

/** Attribute that carries a point's hover text through Plotly's serialiser. */
const HOVER = "data-hover";

/**
 * Draws a figure.
 *
 * @param spec Figure in light colours.
 * @param options Look, ids, title.
 * @returns SVG text without scripts, links or random parts.
 */
export async function renderSvg(spec: FigureSpec, options: RenderSvgOptions = {}): Promise<string> {
  const { mode = "light", id = "figure", title = true } = options;
  const stage = await plotlyStage();
  const document = { data: spec.data, layout: title ? spec.layout : withoutTitle(spec.layout) };
  // Plotly keeps what it is given and adds to it, so it gets a copy.
  const copy = structuredClone(mode === "dark" ? recolor(document, "dark") : document);
  const target = stage.document.createElement("div");
  stage.document.body.append(target);
  let svg: StageDocument;
  try {
    await stage.plotly.newPlot(target, copy.data, copy.layout, { staticPlot: true });
    for (const point of target.querySelectorAll(".point")) markHover(point, spec.data);
    svg = stage.parse(nameIds(stage.plotly.Snapshot.toSVG(target, "svg"), id));
  } finally {
    stage.plotly.purge(target);
    target.remove();
  }
  const root = svg.documentElement;
  const make = (name: string): StageElement => svg.createElementNS(SVG, name);
  drawCells(root, spec, make, painter(mode));
  for (const point of root.querySelectorAll(`[${HOVER}]`)) {
    point.append(hoverTitle(make, point.getAttribute(HOVER) as string));
    point.removeAttribute(HOVER);
  }
  finish(root, mode);
  return stage.serialize(root);
}

/** Takes the title and its band away. */
function withoutTitle(layout: PlotlyObject): PlotlyObject {
  const { title: _title, margin, ...rest } = layout;
  const sides = margin as { t: number };
  return { ...rest, margin: { ...sides, t: sides.t - BANDS.title }, height: Number(rest.height) - BANDS.title };
}

function markHover(point: StageElement, data: PlotlyObject[]): void {
  const index = (point.__data__ as { i?: number } | undefined)?.i;
  let around: StageElement | null = point;
  while (around && !/\btrace\b/.test(around.getAttribute("class") ?? "")) around = around.parentElement;
  const trace = (around?.__data__ as { trace?: { index: number } }[] | undefined)?.[0]?.trace;
  if (index === undefined || trace === undefined) return;
  const texts = data[trace.index].hovertext;
  if (Array.isArray(texts) && typeof texts[index] === "string") point.setAttribute(HOVER, texts[index]);
}

/** A point's name that browsers show beside the pointer. */
function hoverTitle(make: (name: string) => StageElement, text: string): StageElement {
  const title = make("title");
  title.append(unescapeText(text));
  return title;
}

/** Replaces the random parts of Plotly's ids, and nothing in texts that looks like them. */
function nameIds(svg: string, id: string): string {
  const figure = /id="defs-([0-9a-f]+)"/.exec(svg)?.[1];
  const bars: string[] = [];
  return svg.replace(
    new RegExp(`(id="|url\\([^#)]*#)([a-z]*-?)${figure}(-cb[0-9a-f]+)?`, "g"),
    (_, before: string, kind: string, bar: string | undefined) => {
      if (bar === undefined) return `${before}${kind}${id}-`;
      if (!bars.includes(bar)) bars.push(bar);
      return `${before}${kind}${id}-bar${bars.indexOf(bar)}`;
    },
  );
}

/** Chooses how a colour is written: as such, or as a pair that the page's colour scheme picks from. */
function painter(mode: Mode | "adaptive"): Paint {
  return (element, property, light, dark) => {
    const single = mode === "dark" ? dark : light;
    if (mode !== "adaptive") return element.setAttribute(property, single);
    // The first declaration stays for readers that do not know light-dark().
    element.setAttribute("style", `${property}:${light};${property}:light-dark(${light},${dark})`);
  };
}

/** Texts of the measured width, sharp lines, no leftovers, colours of both modes where wanted. */
function finish(root: StageElement, mode: Mode | "adaptive"): void {
  fixTextWidths(root);
  for (const line of root.querySelectorAll(".crisp")) line.setAttribute("shape-rendering", "crispEdges");
  for (const element of [...root.querySelectorAll("*")].reverse()) {
    const empty = element.children.length === 0 &&
      (element.tagName === "g" || /M0,0$/.test(element.getAttribute("d") ?? "M"));
    if (empty && element.tagName !== "text") {
      element.remove();
      continue;
    }
    // Some class names are random, and none may meet those of a page.
    element.removeAttribute("class");
    const stop = element.getAttribute("stop-color");
    if (stop !== null) {
      element.setAttribute("style", `stop-color: ${stop};`);
      element.removeAttribute("stop-color");
    }
    for (const name of MEASURES) {
      const value = element.getAttribute(name);
      if (value !== null) element.setAttribute(name, value.replace(/\d+\.\d{3,}/g, hundredths));
    }
    if (mode === "adaptive") adapt(element);
  }
  if (mode === "adaptive") {
    const [background] = root.children;
    if (background?.tagName === "rect") background.remove();
  }
  root.removeAttribute("class");
  root.removeAttribute("style");
  root.setAttribute("viewBox", `0 0 ${root.getAttribute("width")} ${root.getAttribute("height")}`);
}

/** A hundredth of a pixel is not seen, and where machines differ in the last bit they agree on it. */
function hundredths(digits: string): string {
  return String(Number(Number(digits).toFixed(2)));
}

function adapt(element: StageElement): void {
  const style = element.getAttribute("style");
  if (style === null) return;
  const adapted = style.replace(
    /(fill|stroke|stop-color): rgb\((\d+), (\d+), (\d+)\);/g,
    (declaration, property: string, ...channels: string[]) => {
      const light = `#${channels.slice(0, 3).map((value) => Number(value).toString(16).padStart(2, "0")).join("")}`;
      const dark = darkOf(light);
      return dark === undefined ? declaration : `${property}:${light};${property}:light-dark(${light},${dark});`;
    },
  );
  element.setAttribute("style", adapted);
}
