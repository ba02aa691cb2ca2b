/**
 * The demo suite: every case edited in every way, judged, and reverted.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CHAIN_DEFAULTS, SPREAD_DEFAULTS } from "../editing/defaults.ts";
import { edit } from "../editing/edit_model.ts";
import type { PlanScoring, StagePlan } from "../editing/layer_plan.ts";
import { modelAnswerer } from "../editing/model_answerer.ts";
import { planMethod } from "../editing/plan_edit.ts";
import { type WriteProfile, writeProfile } from "../editing/write_profile.ts";
import { plannedLayers, planPart } from "../editing/planned_layers.ts";
import type { Answerer } from "../editing/prompt_forms.ts";
import { type Support, SUPPORT_SIZES } from "../editing/support.ts";
import type { Model } from "../model/model.ts";
import { askCase, type CaseAnswers, type CasePrompts, casePrompts } from "./columns.ts";
import { DEMO_CONFIGURATIONS, type DemoConfiguration, type DemoKey, type DemoRow } from "./demo_row.ts";
import { answeredCases, type DemoCase } from "./demo_suite.ts";
import type { DemoWorld } from "./demo_world.ts";
import { SharedMoments } from "./shared_moments.ts";
import { type CaseSplit, countSplits, SPLIT_SIZES, splitCase } from "./split.ts";

/** What is run, and what is there already. */
export interface DemoRunOptions {
  /** Ways of editing. Default: all four of the suite. */
  readonly configurations?: readonly DemoConfiguration[];
  /** Seeds of split, support and contexts. Default: 0. */
  readonly seeds?: readonly number[];
  /** Seeds of chain mode, where they are others. Default: `seeds`. */
  readonly chainSeeds?: readonly number[];
  /** Numbers of the cases to run; default: all that the model answers. */
  readonly caseIds?: readonly number[];
  /** Most cases, the first ones in the order of the file. Default: no limit. */
  readonly limit?: number;
  /** Scores that choose the layers of paper mode. Default: "published". */
  readonly scoring?: PlanScoring;
  /** Second moments. Default: computed over the world's documents, each layer once. */
  readonly moments?: SharedMoments;
  /** Tells which rows exist and are left out. Default: none. */
  readonly isDone?: (key: DemoKey) => boolean;
  /** Stops the work at the next step of an edit. */
  readonly signal?: AbortSignal;
  /** Called with the number of rows to make, before the first one. */
  readonly onStart?: (rows: number) => void;
}

/** One case under one seed, with what all configurations share. */
interface Judged {
  readonly demoCase: DemoCase;
  readonly split: CaseSplit;
  readonly prompts: CasePrompts;
  readonly before: CaseAnswers;
}

/**
 * Runs the suite; each row is handed out as soon as it is judged, and the model is unedited between rows.
 *
 * An edit that cannot be computed is a row with its `failure`; only a stop or a lost device ends the run.
 *
 * @param model Unedited model.
 * @param world Facts, cases and documents.
 * @param options What to run.
 * @returns Rows by seed, then case, then configuration.
 * @throws {TypeError} If a case number is unknown or its case is not answered by the model.
 */
export async function* runDemo(
  model: Model,
  world: DemoWorld,
  options: DemoRunOptions = {},
): AsyncGenerator<DemoRow, void, void> {
  const { configurations = DEMO_CONFIGURATIONS, seeds = [0], scoring = "published", isDone = () => false } = options;
  const { signal, chainSeeds = seeds } = options;
  const { facts, documents } = world;
  const settings = settingsKey(world, scoring);
  const answerer = modelAnswerer(model);
  const moments = options.moments ?? new SharedMoments(model, { documents, signal });
  const keyOf = (name: string, seed: number, caseId: number): DemoKey => ({
    modelHash: model.hash,
    configuration: name,
    settings,
    seed,
    caseId,
  });
  const cases = await chooseCases(world.cases, answerer, options);
  const work = [...new Set([...seeds, ...chainSeeds])].flatMap((seed) =>
    cases.map((demoCase) => ({
      seed,
      demoCase,
      wanted: configurations.filter(({ name, method, mode }) =>
        (planPart(method, mode) === "chain" ? chainSeeds : seeds).includes(seed) &&
        !isDone(keyOf(name, seed, demoCase.id))
      ),
    }))
  ).filter(({ wanted }) => wanted.length > 0);
  options.onStart?.(work.reduce((rows, { wanted }) => rows + wanted.length, 0));

  let profile: WriteProfile | undefined;
  const plans = new Map<string, StagePlan>();
  for (const { seed, demoCase, wanted } of work) {
    signal?.throwIfAborted();
    const split = splitCase(facts, demoCase, seed);
    const prompts = casePrompts(facts, demoCase, split);
    const before = await askCase(prompts, answerer);
    const judged: Judged = { demoCase, split, prompts, before };
    for (const configuration of wanted) {
      const { name, method, mode } = configuration;
      const key = keyOf(name, seed, demoCase.id);
      const part = planPart(method, mode);
      if (part === "chain") profile ??= await writeProfile(model, facts, { signal });
      // The plan does not depend on the seed.
      const planKey = `${part} ${demoCase.id}`;
      const plan = plans.get(planKey) ??
        await planMethod(model, demoCase.request, {
          method,
          mode,
          facts,
          scoring,
          ...(profile ? { profile } : {}),
          signal,
        });
      plans.set(planKey, plan);
      await moments.ensure(plannedLayers(plan, method, mode));
      const outcome = await editAndAsk(model, world, judged, configuration, plan, moments, { seed, signal });
      yield { model: model.name, ...key, before, ...outcome };
    }
  }
}

/** Edits one case, asks, and takes the edit back. */
async function editAndAsk(
  model: Model,
  { facts }: DemoWorld,
  { demoCase, split, prompts, before }: Judged,
  { method, mode }: DemoConfiguration,
  plan: StagePlan,
  moments: SharedMoments,
  { seed, signal }: { seed: number; signal: AbortSignal | undefined },
): Promise<Pick<DemoRow, "layers" | "lastNll" | "after" | "counts" | "failure">> {
  const layers = plannedLayers(plan, method, mode);
  try {
    using change = await edit(model, [demoCase.request], {
      method,
      mode,
      facts,
      exclude: split.exclude,
      seed,
      plan,
      moments,
      signal,
    });
    change.apply();
    const after = await askCase(prompts, modelAnswerer(model));
    const support = change.record.support as readonly Support[];
    const counts = support.length > 0 ? countSplits([{ split, support: support[0]! }]) : null;
    return { layers, lastNll: change.record.searches.map((s) => s.lastNll), after, counts, failure: null };
  } catch (error) {
    if (signal?.aborted || (error as Error).name === "DeviceLostError") throw error;
    return { layers, lastNll: [], after: before, counts: null, failure: (error as Error).message };
  }
}

/** Cases of the options' numbers, or the first ones, of those that the model answers. */
async function chooseCases(
  all: readonly DemoCase[],
  answerer: Answerer,
  { caseIds, limit }: DemoRunOptions,
): Promise<DemoCase[]> {
  if (caseIds === undefined) return (await answeredCases(all, answerer)).slice(0, limit);
  const known = all.filter(({ id }) => caseIds.includes(id));
  const answered = await answeredCases(known, answerer);
  return caseIds.map((id) => {
    const found = answered.find((demoCase) => demoCase.id === id);
    if (found) return found;
    const why = known.some((demoCase) => demoCase.id === id)
      ? "the model does not answer it before the edit; leave it out"
      : `it is no two-hop case with an edited second hop; these are: ${all.map((demoCase) => demoCase.id).join(", ")}`;
    throw new TypeError(`Cannot run case ${id}: ${why}`);
  }).slice(0, limit);
}

/** Raised when the same settings no longer make the same edits, so that rows of before are not taken for current. */
const REVISION = 1;

/** Hash of what rows depend on besides the model. */
function settingsKey({ facts, cases, documents }: DemoWorld, scoring: PlanScoring): string {
  const told = [...facts.relations.values()].map((relation) => [relation, facts.factsOf(relation.name)]);
  const sizes = [CHAIN_DEFAULTS, SPREAD_DEFAULTS, SUPPORT_SIZES, SPLIT_SIZES];
  const all = [REVISION, sizes, scoring, told, facts.chains, cases, documents];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16);
}
