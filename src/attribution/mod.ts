/**
 * Attribution: which layers, heads and neurons raise an answer, what they read, and what happens without them.
 *
 * @module
 */
export * from "./attribute.ts";
export type { Captures } from "./captures.ts";
export * from "./contrast.ts";
export type { FrozenProjection } from "./frozen_projection.ts";
export * from "./interventions.ts";
export * from "./layer_scores.ts";
export * from "./lens.ts";
export * from "./neuron_scores.ts";
export * from "./projection.ts";
export * from "./query_scores.ts";
export * from "./random_control.ts";
export * from "./scored_prompt.ts";
export * from "./scores.ts";
export type { SubKey } from "./sub_keys.ts";
