/**
 * Single vectors of a model's weights: what a neuron reads and what it writes.
 *
 * @module
 */
import { embedding } from "../../kernels/embedding.ts";
import { gatherColumns } from "../../kernels/gather_columns.ts";
import { matmulNn } from "../../kernels/matmul_nn.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Model } from "../model/model.ts";

/** Some inputs or outputs of one weight. */
export interface WeightPart {
  /** TransformerLens name of the weight: `blocks.3.mlp.W_out`. */
  weight: string;
  /** Numbers of the inputs or outputs, in the order in which their vectors come out. */
  index: readonly number[];
}

/** Joins single vectors to parts: one for each run of the same weight, in the same order. */
export function partsOf(vectors: readonly { weight: string; index: number }[]): WeightPart[] {
  const parts: (WeightPart & { index: number[] })[] = [];
  for (const { weight, index } of vectors) {
    if (parts.at(-1)?.weight !== weight) parts.push({ weight, index: [] });
    parts.at(-1)!.index.push(index);
  }
  return parts;
}

/**
 * What inputs of weights write (columns of W in y = W x; the sub-values of `W_out` and `W_O`).
 *
 * @returns The vectors of all parts one after the other, [n, outputs] f32; the caller owns them.
 */
export function writtenVectors(model: Model, parts: readonly WeightPart[]): Tensor {
  return vectors(model, parts, "in_out");
}

/**
 * What outputs of weights read (rows of W in y = W x; the sub-keys of `W_in` and `W_V`).
 *
 * @returns The vectors of all parts one after the other, [n, inputs] f32; the caller owns them.
 */
export function readVectors(model: Model, parts: readonly WeightPart[]): Tensor {
  return vectors(model, parts, "out_in");
}

/** Rows of weights stored as `rowLayout`, columns of the others. */
function vectors(model: Model, parts: readonly WeightPart[], rowLayout: "out_in" | "in_out"): Tensor {
  const { gpu, weights } = model;
  const all = parts.flatMap(({ index }) => index);
  const width = Math.max(0, ...parts.map(({ weight }) => vectorWidth(model, weight, rowLayout)));
  using made = new DisposableStack();
  const out = made.use(gpu.tensor([all.length, width], "weight vectors"));
  using index = model.uploadIndex(all, "weight vectors");
  let first = 0;
  for (const part of parts) {
    const weight = weights.get(part.weight);
    const rows = part.index.length;
    if (rows === 0) continue;
    if (weights.layout(part.weight) === rowLayout) {
      using ids = model.uploadIndex(part.index, "weight rows");
      using found = embedding(gpu.stream, { weight, ids });
      gpu.stream.copy(found, out, { to: first * width });
    } else {
      gatherColumns(gpu.stream, { weight, index }, { out, first, rows });
    }
    first += rows;
  }
  made.move();
  return out;
}

function vectorWidth(model: Model, name: string, rowLayout: "out_in" | "in_out"): number {
  const { shape } = model.weights.get(name);
  return model.weights.layout(name) === rowLayout ? shape[1]! : shape[0]!;
}

/** y = x Wᵀ without the bias that a full projection would add: [rows, inputs] -> [rows, outputs]. */
export function withoutBias(model: Model, weight: string, x: Tensor): Tensor {
  const operands = { a: x, b: model.weights.get(weight) };
  return model.weights.layout(weight) === "out_in"
    ? matmulNt(model.gpu.stream, operands)
    : matmulNn(model.gpu.stream, operands);
}

/**
 * Elements of a weight that is a vector, such as a norm's weight or the bias of the head, widened to f32.
 *
 * @param index Wanted elements. Default: all.
 * @returns [n, 1] f32; the caller owns it.
 */
export function vectorElements(model: Model, name: string, index?: readonly number[]): Tensor {
  const weight = model.weights.get(name);
  using ids = model.uploadIndex(index ?? Array.from({ length: weight.length }, (_, i) => i), "vector elements");
  return embedding(model.gpu.stream, { weight: weight.view([weight.length, 1]), ids });
}
