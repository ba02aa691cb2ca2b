import { matmulNn } from "../../kernels/matmul_nn.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import type { Stream } from "../gpu/stream.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Weights } from "./weights.ts";

/** What {@linkcode linear} and {@linkcode linearBackward} may write into. */
export interface LinearOptions {
  /** Receives the result instead of a new tensor. */
  out?: Tensor;
  /** Adds to `out` instead of overwriting it. */
  accumulate?: boolean;
}

/** y = x Wᵀ + b for the weight `name` (its bias is the same name with `W_` replaced by `b_`): [rows, in] -> [rows, out]. */
export function linear(stream: Stream, weights: Weights, name: string, x: Tensor, options: LinearOptions = {}): Tensor {
  const weight = weights.get(name);
  const bias = weights.find(name.replace(/W_(\w+)$/, "b_$1"));
  const operands = { a: x, b: weight, ...(bias ? { bias } : {}) };
  return weights.layout(name) === "out_in" ? matmulNt(stream, operands, options) : matmulNn(stream, operands, options);
}

/** dx = dy W, the gradient of {@linkcode linear} with respect to its input: [rows, out] -> [rows, in]. */
export function linearBackward(
  stream: Stream,
  weights: Weights,
  name: string,
  dy: Tensor,
  options: LinearOptions = {},
): Tensor {
  const operands = { a: dy, b: weights.get(name) };
  return weights.layout(name) === "out_in" ? matmulNn(stream, operands, options) : matmulNt(stream, operands, options);
}
