/**
 * Which layers an edit writes, and at which token: decided by attribution and short probes, never by a table.
 *
 * @module
 */
import type { LayerScores } from "../attribution/layer_scores.ts";
import type { EditToken } from "./edit_token.ts";
import { halves, type Probe } from "./token_probe.ts";
import type { WriteProfile } from "./write_profile.ts";

/** Layers of one stage and where it edits. */
export interface PlannedStage {
  /** Layers, ascending. */
  layers: number[];
  /** Token. */
  token: EditToken;
}

/** Layers of every method for one fact on one model. */
export interface LayerPlan {
  /** Chain mode: the FFN layer whose writes carry over best to chains that they were not made from. */
  chain: PlannedStage;
  /** Paper mode: value layers. */
  value: PlannedStage;
  /** Paper mode: query layers, below the value layers; may be empty. */
  query: PlannedStage;
  /** PMET and MEMIT: the run of layers that the subject's last token can still be edited in. */
  subjectLast: PlannedStage;
  /** Which scores chose the paper's layers. */
  scoring: PlanScoring;
  /** Scores by layer. */
  scores: LayerScores;
  /** Probes that were made. */
  probes: Probe[];
  /** Why each stage has its layers, one sentence a stage. */
  reasons: string[];
}

/** Scores that choose value layers: the published log-probability increase, or the contrast with other objects. */
export type PlanScoring = "published" | "contrast";

/** Options of {@linkcode planLayers}. */
export interface PlanOptions {
  /** Scores that choose the paper's value layers. Default: "published". */
  scoring?: PlanScoring;
  /** Value layers of paper mode. Default: 2. */
  valueLayers?: number;
  /** Query layers of paper mode. Default: 2. */
  queryLayers?: number;
  /** Layers of PMET and MEMIT. Default: 3. */
  runLength?: number;
  /** How writes carry over, which chooses chain mode's layer. Default: the contrast of this fact chooses it. */
  profile?: WriteProfile;
}

/** Makes a probe at a layer and token; given by the caller, which knows the request. */
export type Prober = (layer: number, token: EditToken) => Promise<Probe>;

/**
 * Turns scores into a plan.
 *
 * @param scores Value, contrast and query scores of each layer (mean over the one-hop support forms).
 * @param prober Short searches; called a few times.
 */
export async function planLayers(
  scores: LayerScores,
  prober: Prober,
  options: PlanOptions = {},
): Promise<LayerPlan> {
  const { scoring = "published", valueLayers = 2, queryLayers = 2, runLength = 3 } = options;
  const reasons: string[] = [];
  const probes: Probe[] = [];
  const show = (values: readonly number[], layers: readonly number[]): string =>
    layers.map((layer) => `${layer} (${values[layer]!.toFixed(2)})`).join(", ");

  const { profile } = options;
  const profiled = profile !== undefined && profile.facts > 0;
  const chainLayer = profiled ? [profile.layer] : best(scores.contrast.ffn, 1, () => true);
  reasons.push(
    profiled
      ? `Chain mode edits FFN layer ${show(profile.error, chainLayer)}: the best of a trial over ${profile.facts} ` +
        `facts from layer ${profile.arrival} on, by the error on heads and neighbours left out of a write`
      : `Chain mode edits FFN layer ${show(scores.contrast.ffn, chainLayer)}: the largest contrast with other objects`,
  );

  const valueScore = scoring === "contrast" ? scores.contrast.ffn : scores.value.ffn;
  const value = best(valueScore, valueLayers, () => true);
  const lowest = Math.min(...value);
  const below = scores.query.some((_, layer) => layer < lowest)
    ? (layer: number): boolean => layer < lowest
    : (layer: number): boolean => layer < Math.max(...value) && !value.includes(layer);
  const query = best(scores.query, queryLayers, below);
  const name = scoring === "contrast" ? "contrast" : "log-probability increase";
  reasons.push(`Value layers ${show(valueScore, value)}: the largest ${name} of the answer`);
  reasons.push(
    query.length > 0
      ? `Query layers ${show(scores.query, query)}: the largest query scores below the value layers`
      : "No query layer: there is no layer below the value layers",
  );
  const atSubject = async (layer: number): Promise<Probe> => {
    const known = probes.find((made) => made.layer === layer);
    if (known) return known;
    const made = await prober(layer, "subject_last");
    probes.push(made);
    return made;
  };
  const token = async (layers: readonly number[], stage: string): Promise<EditToken> => {
    if (layers.length === 0) return "last";
    const found = await atSubject(Math.max(...layers));
    const chosen = halves(found) ? "subject_last" : "last";
    reasons.push(`The ${stage} stage edits at ${chosen}: ${describe(found)}`);
    return chosen;
  };
  const valueToken = await token(value, "value");
  const queryToken = await token(query, "query");

  const layers = scores.value.ffn.length;
  const deepest = await deepestWhere(layers, async (layer) => halves(await atSubject(layer)));
  const last = Math.max(deepest, Math.min(runLength, layers) - 1);
  const run = range(Math.max(0, last - runLength + 1), last);
  reasons.push(
    deepest < 0
      ? `PMET and MEMIT edit layers ${run.join(", ")}: a subject-last probe halves the loss nowhere`
      : `PMET and MEMIT edit layers ${
        run.join(", ")
      }: layer ${deepest} is the deepest where a subject-last probe halves the loss`,
  );
  return {
    chain: { layers: chainLayer, token: "last" },
    value: { layers: value, token: valueToken },
    query: { layers: query, token: queryToken },
    subjectLast: { layers: run, token: "subject_last" },
    scoring,
    scores,
    probes,
    reasons,
  };
}

function best(values: readonly number[], count: number, allowed: (layer: number) => boolean): number[] {
  return values.map((value, layer) => ({ value, layer })).filter(({ layer }) => allowed(layer))
    .sort((a, b) => b.value - a.value || a.layer - b.layer).slice(0, count).map(({ layer }) => layer)
    .sort((a, b) => a - b);
}

/**
 * The deepest layer that passes, or -1; found by halving, since a search at the subject reaches less and less from layer
 * to layer (on SmolLM2-135M it ends at 0.24, 0.43, 1.3, 4.1 and 5.4 nats at layers 2, 5, 8, 12 and 16).
 */
async function deepestWhere(layers: number, passes: (layer: number) => Promise<boolean>): Promise<number> {
  let passing = -1;
  let failing = layers;
  while (failing - passing > 1) {
    const middle = Math.floor((passing + failing) / 2);
    if (await passes(middle)) passing = middle;
    else failing = middle;
  }
  return passing;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function describe({ layer, before, after }: Probe): string {
  if (!Number.isFinite(before)) return `after layer ${layer}, the last, nothing reads the subject`;
  return `a subject-last probe at layer ${layer} takes the loss from ${before.toFixed(2)} to ${after.toFixed(2)}`;
}
