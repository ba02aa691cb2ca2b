/**
 * The GPU layer: device, tensors, stream. It knows no model.
 *
 * @module
 */
export type { Binding, TensorRange } from "./binding.ts";
export * from "./errors.ts";
export * from "./gpu.ts";
export * from "./kernel.ts";
export * from "./options.ts";
export * from "./pipelines.ts";
export type { LaunchRecord, LaunchTime } from "./profiler.ts";
export * from "./stream.ts";
export * from "./tensor.ts";
export * from "./traits.ts";
export * from "./usage.ts";
