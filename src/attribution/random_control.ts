/**
 * Matched random controls of interventions: as many neurons of the same layers, chosen by a seed.
 *
 * @module
 */
import { SeededRandom } from "../linalg/seeded_random.ts";
import type { ModelConfig } from "../model/architectures.ts";
import type { AttnNeuron, FfnNeuron } from "./neuron_scores.ts";

/**
 * Random MLP neurons, as many of each layer as there are in `neurons`, none of them among these.
 *
 * @throws {RangeError} If a layer has too few others.
 */
export function randomFfnNeurons(config: ModelConfig, neurons: readonly FfnNeuron[], seed: number): FfnNeuron[] {
  return matched(
    neurons,
    seed,
    config.dMlp,
    ({ layer }) => String(layer),
    ({ neuron }) => neuron,
    ({ layer }, neuron) => ({ layer, neuron }),
  );
}

/**
 * Random attention neurons, as many of each layer and source position as there are in `neurons`, none of them among these.
 *
 * @throws {RangeError} If a layer has too few others.
 */
export function randomAttnNeurons(config: ModelConfig, neurons: readonly AttnNeuron[], seed: number): AttnNeuron[] {
  const { nHeads, dHead } = config;
  return matched(
    neurons,
    seed,
    nHeads * dHead,
    ({ layer, source }) => `${layer}_${source}`,
    ({ head, dim }) => head * dHead + dim,
    ({ layer, source }, column) => ({ layer, head: Math.floor(column / dHead), dim: column % dHead, source }),
  );
}

/** Replaces each item by one with another column from 0 to `columns` - 1 in the same group. */
function matched<T>(
  items: readonly T[],
  seed: number,
  columns: number,
  groupOf: (item: T) => string,
  columnOf: (item: T) => number,
  make: (like: T, column: number) => T,
): T[] {
  const free = new Map<string, number[]>();
  for (const group of new Set(items.map(groupOf))) {
    const taken = new Set(items.filter((item) => groupOf(item) === group).map(columnOf));
    const others = Array.from({ length: columns }, (_, column) => column).filter((column) => !taken.has(column));
    free.set(group, new SeededRandom(seed, "control", group).shuffle(others));
  }
  return items.map((item) => {
    const column = free.get(groupOf(item))!.pop();
    if (column === undefined) {
      throw new RangeError(
        `Cannot choose ${items.length} random neurons: a layer has ${columns}, too few to match those given. ` +
          `Compare fewer neurons`,
      );
    }
    return make(item, column);
  });
}
