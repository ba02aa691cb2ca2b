import { architectureOf, type ModelConfig, type WeightLayout, type WeightSpec } from "./architectures.ts";
import type { StoredSlice } from "./stored_part.ts";

/** A weight of a model by its TransformerLens name, resolved against a config. */
export interface NamedWeight {
  /** `blocks.3.mlp.W_out`. */
  name: string;
  /** Name in the checkpoint. */
  stored: string;
  /** Shape of the weight. */
  shape: number[];
  /** Layout of the matrix. */
  layout: WeightLayout;
  /** Shape of the stored tensor; another than the weight's where that holds several. */
  storedShape: number[];
  /** Which elements of the stored tensor are the weight's; null for all. */
  slice: StoredSlice | null;
}

/**
 * Every weight that a model of this config has, in the order of the forward pass.
 *
 * @param stored Tensors of a checkpoint by name: files of the bare model, without head, leave a prefix out. Absent: names
 * are those of the whole model.
 */
export function namedWeights(config: ModelConfig, stored?: ReadonlyMap<string, unknown>): NamedWeight[] {
  const { outer, block, barePrefix: prefix } = architectureOf(config);
  const embedding = outer["embed.W_E"]!.name;
  const bare = prefix !== undefined && stored !== undefined && !stored.has(embedding) &&
    stored.has(embedding.slice(prefix.length));
  const resolve = (name: string, spec: WeightSpec, layer?: number): NamedWeight => {
    const shape = spec.shape(config);
    const part = spec.part?.(config);
    const whole = spec.name.replace("{}", String(layer));
    return {
      name: layer === undefined ? name : `blocks.${layer}.${name}`,
      stored: bare && whole.startsWith(prefix) ? whole.slice(prefix.length) : whole,
      shape,
      layout: spec.layout,
      storedShape: part?.shape ?? shape,
      slice: part ?? null,
    };
  };
  const list = [resolve("embed.W_E", outer["embed.W_E"]!)];
  for (let layer = 0; layer < config.nLayers; layer++) {
    for (const [name, spec] of Object.entries(block)) {
      if (spec.when?.(config) !== false) list.push(resolve(name, spec, layer));
    }
  }
  for (const [name, spec] of Object.entries(outer)) {
    if (name === "embed.W_E" || (name === "unembed.W_U" && config.tied)) continue;
    list.push(resolve(name, spec));
  }
  return list;
}
