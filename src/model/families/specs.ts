/**
 * Short ways to write the weights of a family down.
 *
 * @module
 */
import type { ModelConfig, StoredPart, WeightSpec } from "../architectures.ts";

/** A size that follows from the config. */
type Size = (c: ModelConfig) => number;

/** Width of the residual stream. */
export const dModel: Size = (c) => c.dModel;
/** Inner width of the MLP. */
export const dMlp: Size = (c) => c.dMlp;
/** Width of all query heads. */
export const qWidth: Size = (c) => c.nHeads * c.dHead;
/** Width of all key or value heads. */
export const kvWidth: Size = (c) => c.nKvHeads * c.dHead;
/** Rows of the embedding. */
export const vocab: Size = (c) => c.vocab;

/** A norm's weight or a bias. */
export function vector(name: string, length: Size): WeightSpec {
  return { name, shape: (c) => [length(c)], layout: "vector" };
}

/** A matrix whose rows are outputs, as torch's Linear stores it. */
export function linear(name: string, outputs: Size, inputs: Size): WeightSpec {
  return { name, shape: (c) => [outputs(c), inputs(c)], layout: "out_in" };
}

/** A matrix whose rows are inputs, as GPT-2's Conv1D stores it. */
export function conv1d(name: string, inputs: Size, outputs: Size): WeightSpec {
  return { name, shape: (c) => [inputs(c), outputs(c)], layout: "in_out" };
}

/** The same weight, of models for which `when` holds. */
export function optional(spec: WeightSpec, when: (c: ModelConfig) => boolean): WeightSpec {
  return { ...spec, when };
}

/**
 * Outputs `first` to `first + count` of a stored tensor with `all` outputs, or of each group of `period` outputs: rows of
 * a Linear, columns of a Conv1D, elements of a bias.
 */
export function outputsOf(
  spec: WeightSpec,
  range: { all: Size; first: Size; count: Size; period?: Size },
): WeightSpec {
  const part = (c: ModelConfig): StoredPart => {
    const all = range.all(c);
    const period = range.period?.(c) ?? all;
    const shape = spec.shape(c);
    if (spec.layout === "in_out") {
      return { shape: [shape[0]!, all], period, first: range.first(c), count: range.count(c) };
    }
    const width = shape[1] ?? 1;
    return {
      shape: [all, ...shape.slice(1)],
      period: period * width,
      first: range.first(c) * width,
      count: range.count(c) * width,
    };
  };
  return { ...spec, part };
}
