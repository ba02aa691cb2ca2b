/**
 * Edits of the small golden models that need no attribution and no corpus.
 *
 * @module
 */
import { storedMoments } from "../../src/evaluation/conformance/editing.ts";
import { GoldenTensors } from "../../src/evaluation/conformance/golden_tensors.ts";
import { Edit, type EditRecord } from "../../src/editing/edit.ts";
import type { LayerPlan } from "../../src/editing/layer_plan.ts";
import type { MomentSource } from "../../src/editing/session.ts";
import type { Model } from "../../src/model/model.ts";
import type { LowRankPatch } from "../../src/model/patched_weight.ts";
import { normals } from "../kernels/operands.ts";
import { EDITING, type Family } from "../model/model_files.ts";

/** A plan with the same layers in every stage. */
export function planAt(layers: readonly number[], nLayers = 6): LayerPlan {
  const none = new Array<number>(nLayers).fill(0);
  const stage = { layers: [...layers], token: "last" as const };
  return {
    chain: stage,
    value: stage,
    query: { ...stage, layers: [] },
    subjectLast: { ...stage, token: "subject_last" },
    scoring: "published",
    scores: { value: { attn: none, ffn: none }, contrast: { attn: none, ffn: none }, query: none },
    probes: [],
    reasons: ["Given"],
  };
}

/** A change of `rank` columns of `blocks.layer.mlp.W_out`, the same for the same label. */
export function randomPatch(model: Model, label: string, layer: number, rank = 2): LowRankPatch {
  const { dModel, dMlp } = model.config;
  return {
    weight: `blocks.${layer}.mlp.W_out`,
    left: normals(`${label} ${layer} left`, dModel * rank, 0, 0.1),
    right: normals(`${label} ${layer} right`, dMlp * rank, 0, 0.1),
    rank,
  };
}

/** An edit that changes `layers` at random; every field of its record is filled. */
export function randomEdit(model: Model, label: string, layers: readonly number[]): Edit {
  const record: EditRecord = {
    method: "memit",
    mode: null,
    modelHash: model.hash,
    model: `${model.config.family}, ${model.config.nLayers} layers, dModel ${model.config.dModel}`,
    requests: [{ prompt: "The capital of {} is", subject: "France", target: label }],
    seed: 3,
    plan: { reasons: ["Given"] },
    hyperparameters: { lambda: 3 },
    contexts: [["{}"], ["The cat sat. {}"]],
    support: [],
    searches: [{ evaluations: 2, firstNll: 5, lastNll: 0.5, nll: [5, 0.5] }],
    warnings: [],
  };
  const patches = layers.map((layer) => randomPatch(model, label, layer));
  return new Edit(model, record, patches, layers.map((layer) => ({ layer, change: 0.5, relative: 0.25 })));
}

/** Output matrices of all blocks as they are on the GPU. */
export async function readOutputs(model: Model): Promise<Float32Array[]> {
  const weights = Array.from(
    { length: model.config.nLayers },
    (_, layer) => model.weights.get(`blocks.${layer}.mlp.W_out`),
  );
  return await model.gpu.stream.read(...weights) as Float32Array[];
}

/** Runs `body` with the second moments of a small model as its golden gives them. */
export async function withStoredMoments(
  model: Model,
  family: Family,
  body: (moments: MomentSource) => Promise<void>,
): Promise<void> {
  using covariance = await GoldenTensors.open(`${EDITING}/${family}/covariance.safetensors`);
  await body(storedMoments(model, covariance));
}
