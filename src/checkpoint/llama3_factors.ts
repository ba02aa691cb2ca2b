/** Numbers of Llama 3's rule for rotary frequencies. */
export interface Llama3Scaling {
  /** Divides the frequencies of long waves. */
  readonly factor: number;
  /** Waves that turn fewer times in the old context are long. */
  readonly lowFreqFactor: number;
  /** Waves that turn more often are short and stay; those between are blended. */
  readonly highFreqFactor: number;
  /** Context of the first training in tokens. */
  readonly originalMaxPos: number;
}

/**
 * Factors by which Llama 3's rule divides rotary frequencies: none for short waves, all of it for long ones, and a blend
 * between (`apply_scaling` of Meta's code for Llama 3.1).
 *
 * @param scaling Numbers of the rule.
 * @param theta Base of the frequencies.
 * @param dims Turned features of a head.
 * @returns dims / 2 factors.
 */
export function llama3Factors(scaling: Llama3Scaling, theta: number, dims: number): Float64Array {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPos } = scaling;
  return Float64Array.from({ length: dims / 2 }, (_, i) => {
    const turns = originalMaxPos / (2 * Math.PI * theta ** (2 * i / dims));
    const blend = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return 1 / ((1 - blend) / factor + blend);
  });
}
