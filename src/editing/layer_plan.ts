/**
 * Which layers an edit writes, and at which token, never taken from a table: chain mode's layer comes from a trial of
 * writes, paper mode's layers from attribution, those of PMET and MEMIT and the tokens from short probes.
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

/** Layers of the methods that were planned for, for one fact on one model. */
export interface StagePlan {
  /** Chain mode: the FFN layer whose writes carry over best to chains that they were not made from. */
  chain?: PlannedStage;
  /** Paper mode: value layers. */
  value?: PlannedStage;
  /** Paper mode: query layers, below the value layers; may be empty. */
  query?: PlannedStage;
  /** PMET and MEMIT: the run of layers that the subject's last token can still be edited in. */
  subjectLast?: PlannedStage;
  /** Why each stage has its layers, one sentence a stage. */
  reasons: string[];
}

/** Layers of every method for one fact on one model. */
export interface LayerPlan extends Required<StagePlan> {
  /** Which scores chose the paper's layers. */
  scoring: PlanScoring;
  /** Scores by layer. */
  scores: LayerScores;
  /** The trial of writes that chose chain mode's layer; none where no fact could be tried and the contrast chose it. */
  profile?: WriteProfile;
  /** Probes that were made. */
  probes: Probe[];
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
  /** Trial of writes, which chooses chain mode's layer. Default, and where it tried no fact: the contrast of this fact. */
  profile?: WriteProfile;
}

/** Makes a probe at a layer and token; given by the caller, which knows the request. */
export type Prober = (layer: number, token: EditToken) => Promise<Probe>;

/**
 * Turns a trial of writes, scores and probes into a plan of every method.
 *
 * @param scores Value, contrast and query scores of each layer (mean over the one-hop support forms).
 * @param prober Short searches; called a few times.
 */
export async function planLayers(
  scores: LayerScores,
  prober: Prober,
  options: PlanOptions = {},
): Promise<LayerPlan> {
  const { scoring = "published", profile } = options;
  const probes: Probe[] = [];
  const once: Prober = async (layer, token) => {
    const known = probes.find((made) => made.layer === layer && made.token === token);
    if (known) return known;
    const made = await prober(layer, token);
    probes.push(made);
    return made;
  };
  const tried = profile?.facts ? { profile } : {};
  const chain = planChain(tried.profile ?? scores.contrast.ffn);
  const paper = await planPaper(scores, once, options);
  const run = await planSubjectLast(scores.value.ffn.length, once, options);
  return {
    ...chain,
    ...paper,
    ...run,
    scoring,
    scores,
    ...tried,
    probes,
    reasons: [...chain.reasons, ...paper.reasons, ...run.reasons],
  };
}

/**
 * Chain mode's layer.
 *
 * @param basis The trial of writes, or the contrast of every FFN layer where no fact could be tried.
 */
export function planChain(basis: WriteProfile | readonly number[]): StagePlan & Required<Pick<StagePlan, "chain">> {
  if ("layer" in basis) {
    const { layer, arrival, error, facts } = basis;
    const least = error.indexOf(Math.min(...error.slice(arrival)), arrival);
    return {
      chain: { layers: [layer], token: "last" },
      reasons: [
        `Chain mode edits FFN layer ${show(error, [layer])}: the best of a trial over ${facts} ` +
        `facts from layer ${arrival} on, by the error on heads and neighbours left out of a write` +
        (layer === least
          ? ""
          : `; layer ${show(error, [least])} is no more than one standard error better, and worse with ` +
            "what leaks to other facts added"),
      ],
    };
  }
  const layers = best(basis, 1, () => true);
  return {
    chain: { layers, token: "last" },
    reasons: [`Chain mode edits FFN layer ${show(basis, layers)}: the largest contrast with other objects`],
  };
}

/** Paper mode's value and query layers, each with the token that a probe finds. */
export async function planPaper(
  scores: LayerScores,
  prober: Prober,
  { scoring = "published", valueLayers = 2, queryLayers = 2 }: PlanOptions = {},
): Promise<StagePlan & Required<Pick<StagePlan, "value" | "query">>> {
  const valueScore = scoring === "contrast" ? scores.contrast.ffn : scores.value.ffn;
  const value = best(valueScore, valueLayers, () => true);
  const lowest = Math.min(...value);
  const below = scores.query.some((_, layer) => layer < lowest)
    ? (layer: number): boolean => layer < lowest
    : (layer: number): boolean => layer < Math.max(...value) && !value.includes(layer);
  const query = best(scores.query, queryLayers, below);
  const name = scoring === "contrast" ? "contrast" : "log-probability increase";
  const reasons = [
    `Value layers ${show(valueScore, value)}: the largest ${name} of the answer`,
    query.length > 0
      ? `Query layers ${show(scores.query, query)}: the largest query scores below the value layers`
      : "No query layer: there is no layer below the value layers",
  ];
  const token = async (layers: readonly number[], stage: string): Promise<EditToken> => {
    if (layers.length === 0) return "last";
    const found = await prober(Math.max(...layers), "subject_last");
    const chosen = halves(found) ? "subject_last" : "last";
    reasons.push(`The ${stage} stage edits at ${chosen}: ${describe(found)}`);
    return chosen;
  };
  return {
    value: { layers: value, token: await token(value, "value") },
    query: { layers: query, token: await token(query, "query") },
    reasons,
  };
}

/** Layers of PMET and MEMIT: a run that ends at the deepest layer that a probe at the subject can act in. */
export async function planSubjectLast(
  nLayers: number,
  prober: Prober,
  { runLength = 3 }: PlanOptions = {},
): Promise<StagePlan & Required<Pick<StagePlan, "subjectLast">>> {
  const deepest = await deepestWhere(nLayers, async (layer) => halves(await prober(layer, "subject_last")));
  const last = Math.max(deepest, Math.min(runLength, nLayers) - 1);
  const run = range(Math.max(0, last - runLength + 1), last);
  return {
    subjectLast: { layers: run, token: "subject_last" },
    reasons: [
      deepest < 0
        ? `PMET and MEMIT edit layers ${run.join(", ")}: a subject-last probe halves the loss nowhere`
        : `PMET and MEMIT edit layers ${
          run.join(", ")
        }: layer ${deepest} is the deepest where a subject-last probe halves the loss`,
    ],
  };
}

/** Layers with their values. */
function show(values: readonly number[], layers: readonly number[]): string {
  return layers.map((layer) => `${layer} (${values[layer]!.toFixed(2)})`).join(", ");
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
