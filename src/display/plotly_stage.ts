/**
 * Plotly in a document without a browser: jsdom with the few things that Plotly measures or draws on.
 *
 * @module
 */
import { type StageDocument, type StageElement } from "./stage_dom.ts";
import { localBox, pageBox } from "./svg_boxes.ts";

/** What drawing uses of Plotly. */
export interface PlotlyLibrary {
  /** Draws a document into an element. */
  newPlot(target: StageElement, data: unknown, layout: unknown, config: unknown): Promise<StageElement>;
  /** Removes what was drawn. */
  purge(target: StageElement): void;
  /** Serialises what was drawn. */
  Snapshot: { toSVG(target: StageElement, format: "svg", scale?: number): string };
}

/** A window that can draw. */
export interface PlotlyStage {
  /** Document of the window. */
  document: StageDocument;
  /** Reads SVG text into a document of this window. */
  parse(svg: string): StageDocument;
  /** Writes an element as text. */
  serialize(element: StageElement): string;
  /** The library inside the window. */
  plotly: PlotlyLibrary;
}

let stage: Promise<PlotlyStage> | undefined;

/**
 * Opens the window on first use and keeps it: loading Plotly's 4.8 MB takes longer than drawing a figure.
 *
 * @returns The one window of this process.
 */
export function plotlyStage(): Promise<PlotlyStage> {
  stage ??= openStage();
  return stage;
}

async function openStage(): Promise<PlotlyStage> {
  const { JSDOM } = await import("jsdom");
  const { default: source } = await import("plotly.js-dist-min", { with: { type: "text" } });
  const { window } = new JSDOM("<!doctype html><body></body>", { runScripts: "outside-only" });
  giveMeasures(window);
  giveCanvas(window);
  window.URL.createObjectURL = (): string => "blob:none";
  window.matchMedia = (): unknown => ({ matches: false, addListener() {}, addEventListener() {} });
  window.eval(source as unknown as string);
  return {
    document: window.document,
    parse: (svg) => new window.DOMParser().parseFromString(svg, "image/svg+xml"),
    serialize: (element) => new window.XMLSerializer().serializeToString(element),
    plotly: window.Plotly,
  };
}

// deno-lint-ignore no-explicit-any -- jsdom's window has no types here, and Plotly adds itself to it
function giveMeasures(window: any): void {
  window.SVGElement.prototype.getBBox = function (this: StageElement): unknown {
    const { left, top, right, bottom } = localBox(this) ?? { left: 0, top: 0, right: 0, bottom: 0 };
    return { x: left, y: top, width: right - left, height: bottom - top };
  };
  window.SVGElement.prototype.getComputedTextLength = function (this: StageElement): number {
    const { left, right } = localBox(this) ?? { left: 0, right: 0 };
    return right - left;
  };
  window.Element.prototype.getBoundingClientRect = function (this: StageElement): unknown {
    const box = pageBox(this);
    return { ...box, x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
  };
}

/** Lets Plotly paint heat maps into nothing; their cells are drawn as rectangles afterwards. */
// deno-lint-ignore no-explicit-any -- as above
function giveCanvas(window: any): void {
  const context = {
    createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height) }),
    putImageData() {},
    fillRect() {},
  };
  window.HTMLCanvasElement.prototype.getContext = (): unknown => context;
  window.HTMLCanvasElement.prototype.toDataURL = (): string => "data:,";
}
