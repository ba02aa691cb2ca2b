import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import { formatShape, type Tensor } from "../src/gpu/tensor.ts";
import code from "./embedding.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype, checkWeight, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "embedding",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", vocab: "u32", weightType: "u32" },
});

/** Operands of {@linkcode embedding}. */
export interface EmbeddingInput {
  /** Embedding matrix, [vocab, width] f32, f16 or bf16. */
  weight: Tensor;
  /** Row to look up for each output row, [rows] u32; ids from `vocab` up give zeros. */
  ids: Tensor;
}

/**
 * Looks up a row of `weight` for each id and widens it to f32.
 *
 * @returns The rows, [rows, width] f32.
 * @throws {RangeError} If `weight` is no matrix or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function embedding(stream: Stream, input: EmbeddingInput, options: OutputOptions = {}): Tensor {
  const { weight, ids } = input;
  const action = "embed";
  const [vocab, width] = weight.shape;
  if (weight.shape.length !== 2 || vocab === undefined || width === undefined) {
    throw new RangeError(`Cannot ${action}: weight must be [vocab, width], got ${formatShape(weight.shape)}`);
  }
  const weightType = checkWeight(action, "weight", weight, weight.shape);
  checkDtype(action, "ids", ids, "u32");
  const out = outputTensor(stream, action, [ids.length, width], [weight, ids], options);
  if (out.length === 0) return out;
  stream.dispatch(KERNEL, {
    tensors: [weight, ids, out],
    params: { rows: ids.length, width, vocab, weightType },
    groups: foldGroups(ids.length, options.groupLimit),
    constants: { WG: rowThreads(stream.gpu, width) },
  });
  return out;
}
