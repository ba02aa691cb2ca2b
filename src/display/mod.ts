/**
 * Figures, tables, progress and reports.
 *
 * @module
 */
export * from "./answers_figure.ts";
export * from "./contribution_figure.ts";
export * from "./duration.ts";
export * from "./figure.ts";
export * from "./figure_spec.ts";
export * from "./heat_map_figure.ts";
export * from "./neuron_figure.ts";
export * from "./plan_figure.ts";
export * from "./progress.ts";
export type { ProgressSink, ProgressState } from "./progress_sinks.ts";
export * from "./report.ts";
export * from "./search_figure.ts";
export * from "./show.ts";
export * from "./stage_progress.ts";
export * from "./static_svg.ts";
export * from "./table.ts";
export type { Mode, PlotlyObject, PlotlyValue } from "./theme.ts";
