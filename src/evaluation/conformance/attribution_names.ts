/**
 * Names of neurons in golden files: `layer_neuron`, and `layer_head_dim_position` for attention.
 *
 * @module
 */
import type { AttnNeuron, FfnNeuron } from "../../attribution/neuron_scores.ts";

/** The MLP neuron of a name. */
export function ffnOf(name: string): FfnNeuron {
  const [layer, neuron] = name.split("_").map(Number) as [number, number];
  return { layer, neuron };
}

/** The attention neuron of a name. */
export function attnOf(name: string): AttnNeuron {
  const [layer, head, dim, source] = name.split("_").map(Number) as [number, number, number, number];
  return { layer, head, dim, source };
}

/** Name of an MLP neuron. */
export function ffnName({ layer, neuron }: FfnNeuron): string {
  return `${layer}_${neuron}`;
}

/** Name of an attention neuron. */
export function attnName({ layer, head, dim, source }: AttnNeuron): string {
  return `${layer}_${head}_${dim}_${source}`;
}
