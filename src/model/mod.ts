/**
 * Models: loading, forward with hooks, backward, generation.
 *
 * @module
 */
export * from "./activation_cache.ts";
export * from "./architectures.ts";
export type { Pace } from "./decoding_pace.ts";
export * from "./generate.ts";
export type { KeyValues, PassContext } from "./block.ts";
export type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint_folder.ts";
export type { Conversion } from "../checkpoint/load_report.ts";
export { PACKED_FORMATS } from "../checkpoint/weight_source.ts";
export type { PackedFormat, WeightInfo, WeightSource } from "../checkpoint/weight_source.ts";
export type { SafetensorsDtype, TensorInfo } from "../checkpoint/safetensors_header.ts";
export type { Llama3Scaling } from "../checkpoint/llama3_factors.ts";
export type { RopeScaling } from "./rope_scaling.ts";
export type { Rows } from "./rows.ts";
export type { StoredSlice } from "./stored_part.ts";
export * from "./tape.ts";
export type { Offset } from "./tokenizer/placed_text.ts";
export * from "./hooks.ts";
export * from "./load_model.ts";
export * from "./model.ts";
export * from "./named_weights.ts";
export * from "./next_tokens.ts";
export * from "./sampling.ts";
export * from "./teacher_forcing.ts";
export * from "./tokenizer.ts";
export type { LowRankPatch } from "./patched_weight.ts";
export { tokenizerFromGguf } from "./tokenizer_gguf.ts";
export * from "./weight_patches.ts";
export * from "./weights.ts";
