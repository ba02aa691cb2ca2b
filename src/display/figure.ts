/**
 * The notebook object that shows a figure.
 *
 * @module
 */
import { describeFigure, type FigureSpec } from "./figure_spec.ts";
import { type Mode, type PlotlyObject, recolor } from "./theme.ts";

/**
 * A figure that a notebook shows: Plotly where the reader has it, a static picture elsewhere, words at the least.
 */
export class Figure {
  /** The Plotly document, in light colours. */
  readonly spec: FigureSpec;
  /** The look of what is shown. */
  readonly mode: Mode;

  /**
   * Wraps a document.
   *
   * @param spec A figure from one of the figure functions.
   * @param mode `dark` for a reader with a dark page.
   */
  constructor(spec: FigureSpec, mode: Mode = "light") {
    this.spec = spec;
    this.mode = mode;
  }

  /** Returns title and ranges. */
  toString(): string {
    return describeFigure(this.spec);
  }

  /**
   * Makes the bundle that Jupyter front ends choose from.
   *
   * @returns Plotly document, SVG and plain text under their MIME types.
   */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, unknown>> {
    const { renderSvg } = await import("./static_svg.ts");
    return {
      "application/vnd.plotly.v1+json": recolor({ ...this.spec } as unknown as PlotlyObject, this.mode),
      "image/svg+xml": await renderSvg(this.spec, { mode: this.mode }),
      "text/plain": describeFigure(this.spec),
    };
  }
}
