/**
 * Pieces of layout that several figures share: stacked panels, their headings, the legend above them.
 *
 * @module
 */
import { escapeText } from "./figure_spec.ts";
import { FONT_SIZE, type PlotlyObject, TONES } from "./theme.ts";

/** Heights of the bands around panels, in pixels. */
export const BANDS = {
  /** Title. */
  title: 34,
  /** Legend of one row. */
  legend: 28,
  /** Heading of a panel. */
  heading: 24,
  /** Tick labels and title of the axis below. */
  below: 52,
} as const;

/** A panel of a stack. */
export interface Panel {
  /** What the panel shows, a short phrase set above it. */
  heading: string;
  /** Extra settings of its vertical axis. */
  axis?: PlotlyObject;
}

/** Measures of a stack of panels, in pixels. */
export interface StackOptions {
  /** Height of each panel. */
  panelHeight: number;
  /** Height of the legend, 0 for none. */
  legendHeight: number;
  /** Width of the figure. */
  width: number;
}

/** Layout and height of a stack. */
export interface Stack {
  /** Vertical axes `yaxis`, `yaxis2`, ..., headings, legend and margins. */
  layout: PlotlyObject;
  /** Height of the whole figure in pixels. */
  height: number;
}

/**
 * Stacks panels over one horizontal axis, first panel on top; trace of panel `i` name `yAxisOf(i)`.
 *
 * @param panels Panels from top to bottom.
 * @param options Measures.
 * @returns Pieces of layout.
 */
export function stackPanels(panels: Panel[], options: StackOptions): Stack {
  const { panelHeight, legendHeight, width } = options;
  const plotHeight = panels.length * panelHeight + (panels.length - 1) * BANDS.heading;
  const layout: PlotlyObject = { annotations: [] };
  panels.forEach((panel, index) => {
    const top = 1 - (index * (panelHeight + BANDS.heading)) / plotHeight;
    const domain = [Math.max(0, top - panelHeight / plotHeight), top];
    layout[index === 0 ? "yaxis" : `yaxis${index + 1}`] = { ...panel.axis, domain };
    (layout.annotations as PlotlyObject[]).push(heading(panel.heading, 0, top));
  });
  const top = BANDS.title + legendHeight + BANDS.heading;
  return {
    layout: {
      ...layout,
      margin: { l: 48, r: 12, t: top, b: BANDS.below },
      legend: legendAbove(width - 60, plotHeight),
      showlegend: legendHeight > 0,
    },
    height: top + plotHeight + BANDS.below,
  };
}

/**
 * Places the legend above the headings of panels, its first mark over their left side.
 *
 * @param plotWidth Width between the margins in pixels.
 * @param plotHeight Height between the margins in pixels.
 * @returns Settings of a legend.
 */
export function legendAbove(plotWidth: number, plotHeight: number): PlotlyObject {
  // Plotly draws the mark 12 px from the side of the legend.
  return { x: -12 / plotWidth, y: 1 + BANDS.heading / plotHeight };
}

/**
 * Names the vertical axis of a panel.
 *
 * @param index Panel from the top, from 0.
 * @returns `y`, `y2`, ...
 */
export function yAxisOf(index: number): string {
  return index === 0 ? "y" : `y${index + 1}`;
}

/**
 * Sets a heading above a panel.
 *
 * @param text Heading.
 * @param x Left side, in shares of the plot's width.
 * @param y Upper side of the panel, in shares of the plot's height.
 * @returns A Plotly annotation.
 */
export function heading(text: string, x: number, y: number): PlotlyObject {
  return {
    text: escapeText(text),
    x,
    y,
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
    align: "left",
    font: { size: FONT_SIZE, color: TONES.muted.light },
  };
}

/**
 * Labels layers on an axis: every layer where there is room, else every second, fourth, ...
 *
 * @param layers Layer numbers in order.
 * @param width Width of the figure in pixels.
 * @returns Settings of a horizontal axis.
 */
export function layerAxis(layers: number[], width: number): PlotlyObject {
  let every = 1;
  while ((layers.length / every) * 26 > width - 60) every *= 2;
  const shown = layers.filter((_, index) => index % every === 0);
  return { title: { text: "Layer" }, tickvals: shown, ticktext: shown.map(String), range: [-0.6, layers.length - 0.4] };
}
