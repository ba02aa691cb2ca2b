/** How the next token is chosen. */
export interface SamplingOptions {
  /** 0 is greedy; above, logits are divided by it. Default: 0. */
  temperature?: number;
  /** Keeps the k most likely tokens (at most 128). Default: 50 when sampling. */
  topK?: number;
  /** Keeps the smallest set of most likely tokens with at least this probability in all. Default: 1. */
  topP?: number;
}

/** Passes options that make sense. @throws {RangeError} If one is outside its range. */
export function checkSampling(options: SamplingOptions): void {
  const { temperature = 0, topK = 50, topP = 1 } = options;
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot sample with temperature ${temperature}: wanted a number from 0 up`);
  }
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= 128)) {
    throw new RangeError(`Cannot sample with topK ${topK}: wanted an integer from 1 to 128`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`Cannot sample with topP ${topP}: wanted a number in (0, 1]`);
}

/**
 * Draws one of the candidates.
 *
 * @param values Their logits, descending.
 * @param uniform A number in [0, 1).
 * @returns Index into `values`.
 */
export function sampleIndex(values: ArrayLike<number>, options: SamplingOptions, uniform: number): number {
  const { temperature = 0, topK = 50, topP = 1 } = options;
  if (temperature === 0) return 0;
  const count = Math.min(topK, values.length);
  const weights = Array.from({ length: count }, (_, i) => Math.exp((values[i]! - values[0]!) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let kept = 0;
  let mass = 0;
  while (kept < count && mass < topP * total) mass += weights[kept++]!;
  let left = uniform * mass;
  for (let i = 0; i < kept; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return kept - 1;
}
