/**
 * See which neurons of a transformer recall a fact, and edit that fact, on WebGPU.
 *
 * ```ts
 * import { edit, Gpu, loadFacts, loadModel } from "ace-webgpu";
 *
 * using gpu = await Gpu.open();
 * using model = await loadModel(gpu, "fixtures/world/world-qwen3");
 * const prompt = "The capital of the country where Noyon is located is";
 * console.assert(await model.complete(prompt) === " Paris");
 * ```
 *
 * @module
 */
export * from "./src/gpu/mod.ts";
export * from "./src/model/mod.ts";
export * from "./src/attribution/mod.ts";
export * from "./src/editing/mod.ts";
