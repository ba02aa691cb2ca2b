/** A change of rotary frequencies for contexts longer than those of the first training. */
export type RopeScaling =
  /** Every position divided by `factor`. */
  | { type: "linear"; factor: number }
  /** Llama 3's rule: waves longer than the old context are stretched by `factor`, short ones are kept. */
  | { type: "llama3"; factor: number; lowFreqFactor: number; highFreqFactor: number; originalMaxPos: number };

/**
 * Frequencies of a rotary embedding: theta^(-2 i / dims), changed by the scaling.
 *
 * Llama 3's rule is that of Meta's reference code for Llama 3.1 (`apply_scaling`).
 *
 * @returns dims / 2 angles a position.
 */
export function rotaryFrequencies(dims: number, theta: number, scaling?: RopeScaling): Float64Array {
  return Float64Array.from({ length: dims / 2 }, (_, i) => {
    const frequency = theta ** (-2 * i / dims);
    if (scaling === undefined) return frequency;
    if (scaling.type === "linear") return frequency / scaling.factor;
    const { factor, lowFreqFactor, highFreqFactor, originalMaxPos } = scaling;
    // How often the wave fits the old context.
    const turns = originalMaxPos * frequency / (2 * Math.PI);
    if (turns > highFreqFactor) return frequency;
    if (turns < lowFreqFactor) return frequency / factor;
    const kept = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return (1 - kept) * frequency / factor + kept * frequency;
  });
}
