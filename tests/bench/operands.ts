/**
 * Seeded operands of the bench.
 *
 * @module
 */
import { SeededRandom } from "../../src/linalg/seeded_random.ts";

/** Uniform numbers in [-1, 1), the same for the same seed and label. */
export function uniform(seed: number, label: string, length: number): Float32Array<ArrayBuffer> {
  const random = new SeededRandom(seed, "bench", label);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
}
