/**
 * Interventions: patches for the forward pass that take single neurons, heads or source positions away.
 *
 * @module
 */
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { setElements } from "../../kernels/set_elements.ts";
import type { Patch } from "../model/hooks.ts";
import type { Model } from "../model/model.ts";
import type { AttnNeuron, FfnNeuron } from "./neuron_scores.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";

/** Patches by hook name, as `model.forward(ids, { patch })` takes them. */
export type Patches = Readonly<Record<string, Patch>>;

/** Where an activation is changed: at every position, which is the same as zeroing the weight, or at the last. */
export type Scope = "allPositions" | "lastOnly";

/** Where an attention neuron is taken away; `OneSource` takes only what its source position brings. */
export type AttnScope = Scope | "lastOnlyOneSource" | "allPositionsOneSource";

/** A query head. */
export interface Head {
  /** Layer. */
  readonly layer: number;
  /** Query head. */
  readonly head: number;
}

/** A source position of a head's attention. */
export interface HeadSource extends Head {
  /** Source position. */
  readonly source: number;
}

/** Sets coefficients of MLP neurons (`mlp.hook_post`) to zero. */
export function zeroFfnNeurons(neurons: readonly FfnNeuron[], scope: Scope = "allPositions"): Patches {
  return byHook(neurons, ({ layer }) => `blocks.${layer}.mlp.hook_post`, (group) =>
    elements((shape) => {
      const width = shape[2]!;
      return positions(shape, scope).flatMap((row) => group.map(({ neuron }) => [row * width + neuron, 0]));
    }));
}

/** Sets head outputs (`attn.hook_z`) to zero. */
export function zeroHeads(heads: readonly Head[], scope: Scope = "allPositions"): Patches {
  return byHook(heads, ({ layer }) => `blocks.${layer}.attn.hook_z`, (group) =>
    elements((shape) => {
      const [nHeads, dHead] = [shape[2]!, shape[3]!];
      return positions(shape, scope).flatMap((row) =>
        group.flatMap(({ head }) => Array.from({ length: dHead }, (_, dim) => [(row * nHeads + head) * dHead + dim, 0]))
      );
    }));
}

/** Sets attention to source positions (`attn.hook_pattern`) to zero; the rest of the pattern stays as it was. */
export function zeroSources(sources: readonly HeadSource[], scope: Scope = "allPositions"): Patches {
  return byHook(sources, ({ layer }) => `blocks.${layer}.attn.hook_pattern`, (group) =>
    elements((shape) => {
      const [batch, nHeads, queries, keys] = shape as [number, number, number, number];
      return positions([batch, queries], scope).flatMap((row) => {
        const [b, query] = [Math.floor(row / queries), row % queries];
        return group.map(({ head, source }) => [((b * nHeads + head) * queries + query) * keys + source, 0]);
      });
    }));
}

/**
 * Takes attention neurons of a prompt away at `attn.hook_z`: the whole feature, or only the product of attention and value
 * that the neuron's source position brings in the unchanged model.
 */
export async function zeroAttnNeurons(
  prompt: ScoredPrompt,
  neurons: readonly AttnNeuron[],
  scope: AttnScope = "allPositions",
): Promise<Patches> {
  const { pos, model, captures: { cache } } = prompt;
  const { nHeads, nKvHeads, dHead } = model.config;
  const hookOf = ({ layer }: AttnNeuron): string => `blocks.${layer}.attn.hook_z`;
  const place = (query: number, { head, dim }: AttnNeuron): number => (query * nHeads + head) * dHead + dim;
  if (scope === "allPositions" || scope === "lastOnly") {
    return byHook(
      neurons,
      hookOf,
      (group) =>
        elements((shape) => positions(shape, scope).flatMap((row) => group.map((neuron) => [place(row, neuron), 0]))),
    );
  }
  const patternOf = ({ layer }: AttnNeuron): string => `blocks.${layer}.attn.hook_pattern`;
  const patterns = await cache.read(...new Set(neurons.map(patternOf)));
  const queries = scope === "lastOnlyOneSource" ? [pos - 1] : Array.from({ length: pos }, (_, query) => query);
  return byHook(neurons, hookOf, (group) =>
    elements(() =>
      group.flatMap((neuron) => {
        const { layer, head, dim, source } = neuron;
        const kvHead = Math.floor(head / (nHeads / nKvHeads));
        const value = prompt.host.values[((layer * pos + source) * nKvHeads + kvHead) * dHead + dim]!;
        const pattern = patterns[patternOf(neuron)]!;
        return queries.map((query) => [place(query, neuron), -pattern[(head * pos + query) * pos + source]! * value]);
      }), true));
}

/** What the model predicts under patches. */
export interface Prediction {
  /** Log-probability of the target at the last position. */
  readonly logProb: number;
  /** Most likely token there. */
  readonly argmax: number;
}

/** Runs a prompt under patches. */
export async function predictUnder(
  model: Model,
  ids: readonly number[],
  target: number,
  patch: Patches = {},
): Promise<Prediction> {
  const { stream } = model.gpu;
  using cache = model.forward(ids, { patch });
  using targets = model.uploadIndex([target], "target");
  const found = crossEntropy(stream, { logits: cache.logits!, target: targets });
  using logProb = found.logProb;
  using argmax = found.argmax;
  using _ = found.logSumExp;
  const [log, best] = await stream.read(logProb, argmax);
  return { logProb: log[0]!, argmax: best[0]! };
}

/** Rows of a [batch, pos, ...] activation that a scope changes. */
function positions(shape: readonly number[], scope: Scope): number[] {
  const [batch, pos] = shape as [number, number];
  if (scope === "allPositions") return Array.from({ length: batch * pos }, (_, row) => row);
  if (batch > 1) {
    throw new RangeError(
      `Cannot change the last position of ${batch} prompts at once: rows may be padded. Run one prompt at a time`,
    );
  }
  return [pos - 1];
}

/** A patch that sets, or adds to, the elements listed as [place, value] for the activation's shape. */
function elements(list: (shape: readonly number[]) => number[][], accumulate: boolean = false): Patch {
  return (activation, stream) => {
    const changes = new Map<number, number>();
    for (const [at, value] of list(activation.shape) as [number, number][]) {
      changes.set(at, value + (accumulate ? changes.get(at) ?? 0 : 0));
    }
    const { gpu } = stream;
    using index = gpu.upload(Uint32Array.from(changes.keys()), [changes.size], "patched elements");
    using value = gpu.upload(Float32Array.from(changes.values()), [changes.size], "patch values");
    setElements(stream, { index, value, into: activation }, { accumulate });
  };
}

/** One patch a hook, made from the items that belong to it. */
function byHook<T>(items: readonly T[], hookOf: (item: T) => string, make: (group: T[]) => Patch): Patches {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(hookOf(item), [...groups.get(hookOf(item)) ?? [], item]);
  return Object.fromEntries([...groups].map(([hook, group]) => [hook, make(group)]));
}
