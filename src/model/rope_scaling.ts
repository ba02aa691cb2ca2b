import { llama3Factors, type Llama3Scaling } from "../checkpoint/llama3_factors.ts";

/** A change of rotary frequencies for contexts longer than those of the first training. */
export type RopeScaling =
  /** Every position divided by `factor`. */
  | { type: "linear"; factor: number }
  /** Llama 3's rule. */
  | ({ type: "llama3" } & Llama3Scaling);

/**
 * Frequencies of a rotary embedding: theta^(-2 i / dims), changed by the scaling.
 *
 * @returns dims / 2 angles a position.
 */
export function rotaryFrequencies(dims: number, theta: number, scaling?: RopeScaling): Float64Array {
  const plain = Float64Array.from({ length: dims / 2 }, (_, i) => theta ** (-2 * i / dims));
  if (scaling === undefined) return plain;
  if (scaling.type === "linear") return plain.map((frequency) => frequency / scaling.factor);
  const factors = llama3Factors(scaling, theta, dims);
  return plain.map((frequency, i) => frequency / factors[i]!);
}
