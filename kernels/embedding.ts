import { rowRanges } from "../src/gpu/binding.ts";
import { defineKernel, foldGroups } from "../src/gpu/kernel.ts";
import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import code from "./embedding.wgsl" with { type: "text" };
import { link } from "./link.ts";
import { checkDtype, checkMatrix, type OutputOptions, outputTensor, rowThreads } from "./rows.ts";

const KERNEL = defineKernel({
  name: "embedding",
  code: link(code),
  buffers: ["read", "read", "write"],
  params: { rows: "u32", width: "u32", first: "u32", count: "u32", vocab: "u32" },
});

/** Operands of {@linkcode embedding}. */
export interface EmbeddingInput {
  /** Embedding matrix, [vocab, width] f32, f16, bf16 or packed. */
  weight: Tensor;
  /** Row to look up for each output row, [rows] u32; ids from `vocab` up give zeros. */
  ids: Tensor;
}

/**
 * Looks up a row of `weight` for each id and widens it to f32.
 *
 * With the ids of all rows it widens a whole matrix.
 *
 * @returns The rows, [rows, width] f32.
 * @throws {RangeError} If `weight` is no matrix or `out` does not fit.
 * @throws {TypeError} If an operand has the wrong dtype or `out` is an operand.
 */
export function embedding(stream: Stream, input: EmbeddingInput, options: OutputOptions = {}): Tensor {
  const { weight, ids } = input;
  const action = "embed";
  const weightType = checkMatrix(action, "weight", weight, "vocab, width");
  const [vocab, width] = weight.shape as [number, number];
  checkDtype(action, "ids", ids, "u32");
  const out = outputTensor(stream, action, [ids.length, width], [weight, ids], options);
  if (out.length === 0) return out;
  const constants = { WG: rowThreads(stream.gpu, width), B_TYPE: weightType };
  for (const { first: top, rows, binding: y } of rowRanges(out.view([ids.length, width]))) {
    const wanted = { tensor: ids, byteOffset: 4 * top };
    for (const { first, rows: count, binding } of rowRanges(weight)) {
      stream.dispatch(KERNEL, {
        tensors: [binding, wanted, y],
        params: { rows, width, first, count, vocab },
        groups: foldGroups(rows, options.groupLimit),
        constants,
      });
    }
  }
  return out;
}
