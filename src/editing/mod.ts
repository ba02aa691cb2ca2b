/**
 * Editing: requests, plans, methods, edits as values, patch files.
 *
 * @module
 */
export type { ChainHyperparameters } from "./ace_chain.ts";
export * from "./defaults.ts";
export * from "./edit.ts";
export * from "./edit_model.ts";
export * from "./edit_options.ts";
export type { EditToken } from "./edit_token.ts";
export * from "./export_model.ts";
export type { ExportDtype } from "./export_tensors.ts";
export type { WeightDtype } from "../checkpoint/convert_floats.ts";
export * from "./facts.ts";
export type { FactChain, RelationForms } from "./facts_file.ts";
export * from "./layer_plan.ts";
export * from "./patch_file.ts";
export type { FileSink, OpenSink } from "../checkpoint/write_file.ts";
export * from "./plan_edit.ts";
export * from "./requests.ts";
export * from "./second_moments.ts";
export type { EditProgress, MomentSource } from "./session.ts";
export type { SearchNumbers } from "./target_search.ts";
export type { SpreadHyperparameters } from "./targets.ts";
export type { Probe } from "./token_probe.ts";
export * from "./write_profile.ts";
