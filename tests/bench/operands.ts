/**
 * Seeded operands of the bench.
 *
 * @module
 */
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import type { Model } from "../../src/model/model.ts";

/** Uniform numbers in [-1, 1), the same for the same seed and label. */
export function uniform(seed: number, label: string, length: number): Float32Array<ArrayBuffer> {
  const random = new SeededRandom(seed, "bench", label);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
}

/** Random tokens of a model's vocabulary. */
export function randomTokens(model: Model, seed: number, count: number): number[] {
  const random = new SeededRandom(seed, "bench tokens");
  return Array.from({ length: count }, () => random.below(model.config.vocab));
}
