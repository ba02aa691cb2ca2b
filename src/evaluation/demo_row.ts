/**
 * What the demo suite writes down about one edit.
 *
 * @module
 */
import { z } from "zod";
import type { AceMode, Method } from "../editing/edit_options.ts";
import type { CaseAnswers } from "./columns.ts";
import type { SplitCounts } from "./split.ts";

/** A way of editing that the suite measures. */
export interface DemoConfiguration {
  /** Name in tables. */
  readonly name: string;
  /** Editing method. */
  readonly method: Method;
  /** Mode of ACE; other methods do not look at it. */
  readonly mode: AceMode;
}

/** What the suite compares, in the order of its table. */
export const DEMO_CONFIGURATIONS: readonly DemoConfiguration[] = [
  { name: "PMET", method: "pmet", mode: "paper" },
  { name: "MEMIT", method: "memit", mode: "paper" },
  { name: "ACE paper", method: "ace", mode: "paper" },
  { name: "ACE chain", method: "ace", mode: "chain" },
];

/** One case edited in one way. */
export interface DemoRow {
  /** Name of the model's folder. */
  readonly model: string;
  /** SHA-256 of its weights. */
  readonly modelHash: string;
  /** Name of the configuration. */
  readonly configuration: string;
  /** Hash of everything else that the result depends on: revision, hyper-parameters, sizes, facts, cases, documents. */
  readonly settings: string;
  /** Seed of the split, the support and the contexts. */
  readonly seed: number;
  /** Number of the case in its file. */
  readonly caseId: number;
  /** Written layers. */
  readonly layers: readonly number[];
  /** Negative log-probability at the end of each search. */
  readonly lastNll: readonly number[];
  /** Answers of the unedited model. */
  readonly before: CaseAnswers;
  /** Answers of the edited model; those of the unedited one where the edit failed. */
  readonly after: CaseAnswers;
  /** Sizes of the split; null where the method tells nothing of what it used. */
  readonly counts: SplitCounts | null;
  /** Why there is no edit, or null. */
  readonly failure: string | null;
}

const GROUPS = z.array(z.array(z.boolean()));
const ANSWERS = z.object({
  edit: GROUPS,
  paraphrase: GROUPS,
  question: GROUPS,
  twoHop: GROUPS,
  twoHopCloze: GROUPS,
  oldAnswer: GROUPS,
  neighbours: GROUPS,
  twoHopNeighbours: GROUPS,
  sameSubject: GROUPS,
  far: GROUPS,
});
const COUNT = z.int().nonnegative();

/** Form of a line of a results file. */
export const DEMO_ROW_SCHEMA: z.ZodType<DemoRow> = z.object({
  model: z.string(),
  modelHash: z.string(),
  configuration: z.string(),
  settings: z.string(),
  seed: COUNT,
  caseId: z.int(),
  layers: z.array(COUNT),
  lastNll: z.array(z.number()),
  before: ANSWERS,
  after: ANSWERS,
  counts: z.object({
    cases: COUNT,
    chains: COUNT,
    supportHeads: COUNT,
    neighbours: COUNT,
    twoHopNeighbours: COUNT,
    sameSubject: COUNT,
    far: COUNT,
    preservedSubjects: COUNT,
    preservedChains: COUNT,
  }).nullable(),
  failure: z.string().nullable(),
});

/** What tells rows apart: the same key is the same work. */
export type DemoKey = Pick<DemoRow, "modelHash" | "configuration" | "settings" | "seed" | "caseId">;

/**
 * Writes a key as text.
 *
 * @param key Row, or what a row would have.
 * @returns Equal texts for equal work.
 */
export function demoKey({ modelHash, configuration, settings, seed, caseId }: DemoKey): string {
  return JSON.stringify([modelHash, configuration, settings, seed, caseId]);
}
