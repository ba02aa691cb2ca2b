import type { Stream } from "../src/gpu/stream.ts";
import type { Tensor } from "../src/gpu/tensor.ts";
import { embedding } from "./embedding.ts";
import type { OutputOptions } from "./rows.ts";

/**
 * Widens a matrix of weights of any stored type to f32, by looking up all its rows.
 *
 * @param input `weight` [rows, cols] f32, f16, bf16 or packed.
 * @returns The values, [rows, cols] f32.
 * @throws {RangeError} If `weight` is no matrix or `out` does not fit.
 * @throws {TypeError} If `weight` is of no weight type or `out` is `weight`.
 */
export function widen(stream: Stream, { weight }: { weight: Tensor }, options: OutputOptions = {}): Tensor {
  const rows = weight.shape[0] ?? 0;
  using ids = stream.gpu.upload(Uint32Array.from({ length: rows }, (_, i) => i), [rows], "rows");
  return embedding(stream, { weight, ids }, options);
}
