/**
 * Cases in the MQuAKE schema (Zhong et al. 2023, "MQuAKE: Assessing Knowledge Editing in Language Models via Multi-Hop
 * Questions"), with the fields that this project's cases add.
 *
 * @module
 */

import { z } from "zod";
import { readJsonFile, validateJson } from "../checkpoint/json_file.ts";
import type { EditRequest } from "../editing/requests.ts";

/** One hop of a chain. */
export interface MquakeHop {
  /** The hop as a question. */
  readonly question: string;
  /** The hop as the beginning of a sentence. */
  readonly cloze: string;
  /** Answer. */
  readonly answer: string;
  /** Other spellings of the answer. */
  readonly aliases: readonly string[];
}

/** `[subject, relation, object]`, as labels. */
export type MquakeTriple = readonly [string, string, string];

/** One fact that a case rewrites. */
export interface MquakeRewrite extends EditRequest {
  /** Relation id of the data set. */
  readonly relation: string;
  /** Answer before the edit. */
  readonly oldTarget: string;
}

/** One chain of facts, some of them rewritten. */
export interface MquakeCase {
  /** Number in the file. */
  readonly id: number;
  /** Facts rewritten, at least one. */
  readonly rewrites: readonly MquakeRewrite[];
  /** Wordings of the multi-hop question; the published data has three. */
  readonly questions: readonly string[];
  /** The chain as the beginning of a sentence, where the file has one. */
  readonly cloze: string | undefined;
  /** Answer of the chain before the edits. */
  readonly answer: string;
  /** Other spellings of `answer`. */
  readonly aliases: readonly string[];
  /** Answer of the chain after the edits. */
  readonly newAnswer: string;
  /** Other spellings of `newAnswer`. */
  readonly newAliases: readonly string[];
  /** Hops before the edits. */
  readonly hops: readonly MquakeHop[];
  /** Hops after the edits. */
  readonly newHops: readonly MquakeHop[];
  /** The hops before the edits as triples. */
  readonly triples: readonly MquakeTriple[];
  /** Which hops of the new chain are rewritten, from 0. */
  readonly editedHops: readonly number[];
  /** Whether the model of the file was never trained on this chain, where the file says so. */
  readonly heldOut: boolean | undefined;
}

const TEXT = z.string().refine((text) => text.trim() !== "", "wanted a text that is not empty");
const ALIASES = z.array(z.string()).default([]);
const TRIPLE = z.tuple([z.string(), z.string(), z.string()]);
const HOP = z.object({ question: TEXT, cloze: TEXT, answer: TEXT, answer_alias: ALIASES })
  .transform(({ answer_alias, ...hop }): MquakeHop => ({ ...hop, aliases: answer_alias }));
const REWRITE = z.object({
  prompt: TEXT,
  relation_id: z.string(),
  subject: TEXT,
  target_new: z.object({ str: TEXT }),
  target_true: z.object({ str: TEXT }),
}).transform((record): MquakeRewrite => ({
  prompt: record.prompt,
  subject: record.subject,
  target: record.target_new.str,
  oldTarget: record.target_true.str,
  relation: record.relation_id,
}));

const CASE = z.object({
  case_id: z.number().int(),
  requested_rewrite: z.array(REWRITE).min(1),
  questions: z.array(TEXT).min(1),
  cloze: TEXT.optional(),
  answer: TEXT,
  answer_alias: ALIASES,
  answer_extended: ALIASES,
  new_answer: TEXT,
  new_answer_alias: ALIASES,
  single_hops: z.array(HOP).min(1),
  new_single_hops: z.array(HOP).min(1),
  orig: z.object({
    triples_labeled: z.array(TRIPLE),
    new_triples: z.array(TRIPLE).optional(),
    new_triples_labeled: z.array(TRIPLE).optional(),
    edit_triples: z.array(TRIPLE),
  }),
  edited_hops: z.array(z.number().int().nonnegative()).optional(),
  held_out: z.boolean().optional(),
}).superRefine((record, context) => {
  const hops = record.single_hops.length;
  if (record.orig.triples_labeled.length !== hops) {
    const input = record.orig.triples_labeled;
    context.addIssue({
      code: "custom",
      path: ["orig", "triples_labeled"],
      input,
      message: `wanted ${hops}, one a hop`,
    });
  }
}).transform((record): MquakeCase => {
  const edits = new Set(record.orig.edit_triples.map((triple) => JSON.stringify(triple)));
  // Published files do not say which hops are edited; their triples do. Files without ids spell them with labels.
  const triples = record.orig.new_triples ?? record.orig.new_triples_labeled ?? [];
  const fromTriples = triples.flatMap((triple, hop) => edits.has(JSON.stringify(triple)) ? [hop] : []);
  return {
    id: record.case_id,
    rewrites: record.requested_rewrite,
    questions: record.questions,
    cloze: record.cloze,
    answer: record.answer,
    aliases: [...record.answer_alias, ...record.answer_extended],
    newAnswer: record.new_answer,
    newAliases: record.new_answer_alias,
    hops: record.single_hops,
    newHops: record.new_single_hops,
    triples: record.orig.triples_labeled,
    editedHops: record.edited_hops ?? fromTriples,
    heldOut: record.held_out,
  };
});

const CASES_FILE = z.array(CASE);

/**
 * Checks cases in the MQuAKE schema.
 *
 * @param value Parsed JSON, an array of cases.
 * @param path Name of the source, for messages.
 * @returns The cases in the same order.
 * @throws {FileError} If the value has another form.
 */
export function parseMquake(value: unknown, path: string): MquakeCase[] {
  return validateJson<MquakeCase[]>(path, value, CASES_FILE);
}

/**
 * Reads a file of cases in the MQuAKE schema.
 *
 * @param path JSON file, an array of cases.
 * @returns The cases in the order of the file.
 * @throws {FileError} If the file cannot be read or has another form.
 */
export function loadMquake(path: string): Promise<MquakeCase[]> {
  return readJsonFile<MquakeCase[]>(path, CASES_FILE);
}
