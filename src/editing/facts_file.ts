/**
 * The form of a facts file and what must hold in it.
 *
 * @module
 */

import { z } from "zod";
import { readJsonFile, validateJson } from "../checkpoint/json_file.ts";
import { countSlots, SUBJECT_SLOT } from "./prompt_forms.ts";

/** How a facts file words one relation; every form has exactly one `{}` for the subject. */
export interface RelationForms {
  /** Beginnings of sentences that the object completes, at least one; the first is the edit prompt. */
  readonly cloze: readonly string[];
  /** Questions that the object answers, without `Q:` and `A:`; may be empty. */
  readonly question: readonly string[];
  /** Noun phrase for the object, `the capital of {}`, which stands for it as a subject of the next hop. */
  readonly description: string;
}

/** One path through the facts. */
export interface FactChain {
  /** Where the path starts, equal to the first entity. */
  readonly subject: string;
  /** Names of the relations, in the order walked. */
  readonly relations: readonly string[];
  /** Entities passed, one more than relations. */
  readonly entities: readonly string[];
  /** Whether the model of the file was never trained on this chain. */
  readonly heldOut?: boolean | undefined;
}

/** Content of a facts file (JSON, UTF-8), for example `fixtures/world/world.json`. */
export interface FactsFile {
  /** Wordings by relation name. */
  readonly relations: Readonly<Record<string, RelationForms>>;
  /** `[subject, object]` pairs by relation name; a subject stands at most once in a relation. */
  readonly facts: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  /** Chains whose every hop is one of the facts; may be left out. */
  readonly chains: readonly FactChain[];
}

const TEXT = z.string().refine((text) => text.trim() !== "", "wanted a text that is not empty");
const FORM = z.string().refine((form) => countSlots(form) === 1, `wanted one ${SUBJECT_SLOT} for the subject`);
const SHAPE = z.object({
  relations: z.record(
    z.string(),
    z.object({ cloze: z.array(FORM).min(1), question: z.array(FORM).default([]), description: FORM }),
  ),
  facts: z.record(z.string(), z.array(z.tuple([TEXT, TEXT]))),
  chains: z.array(z.object({
    subject: TEXT,
    relations: z.array(TEXT).min(1),
    entities: z.array(TEXT),
    heldOut: z.boolean().optional(),
  })).default([]),
});

/** Reports one fault: where it is, what stands there, what is wrong. */
type Report = (path: (string | number)[], input: unknown, message: string) => void;

function checkClozeForms(file: FactsFile, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { cloze }] of Object.entries(file.relations)) {
    for (const [i, form] of cloze.entries()) {
      const owner = owners.get(form);
      if (owner !== undefined) report(["relations", name, "cloze", i], form, `already a form of ${owner}`);
      owners.set(form, name);
    }
  }
}

function checkFacts(file: FactsFile, report: Report): void {
  for (const [name, pairs] of Object.entries(file.facts)) {
    if (!(Object.hasOwn(file.relations, name))) report(["facts", name], pairs, "no relation of that name");
    const objects = new Map<string, string>();
    for (const [i, [subject, object]] of pairs.entries()) {
      const before = objects.get(subject);
      if (before !== undefined) {
        report(["facts", name, i], [subject, object], `subject stands twice, before with ${JSON.stringify(before)}`);
      }
      objects.set(subject, object);
    }
  }
}

function checkChains(file: FactsFile, report: Report): void {
  const objects = new Map<string, Map<string, string>>();
  for (const [name, pairs] of Object.entries(file.facts)) {
    // A subject that stands twice is reported elsewhere; here its first object counts.
    objects.set(name, new Map(pairs.toReversed()));
  }
  for (const [i, chain] of file.chains.entries()) {
    if (chain.entities.length !== chain.relations.length + 1 || chain.entities[0] !== chain.subject) {
      report(["chains", i], chain, "wanted the subject and then one entity a relation");
      continue;
    }
    for (const [hop, relation] of chain.relations.entries()) {
      if (objects.get(relation)?.get(chain.entities[hop]) !== chain.entities[hop + 1]) {
        report(["chains", i, "entities", hop + 1], chain.entities[hop + 1], `no such fact of ${relation}`);
      }
    }
  }
}

const FACTS_SCHEMA = SHAPE.superRefine((file, context) => {
  const report: Report = (path, input, message) => context.addIssue({ code: "custom", path, input, message });
  checkClozeForms(file, report);
  checkFacts(file, report);
  checkChains(file, report);
});

/**
 * Checks a value against the form of a facts file.
 *
 * @param value Parsed JSON.
 * @param path Name of the source, for messages.
 * @returns The value, with chains filled in.
 * @throws {FileError} If the value has another form or contradicts itself.
 */
export function parseFactsFile(value: unknown, path: string): FactsFile {
  return validateJson<FactsFile>(path, value, FACTS_SCHEMA);
}

/**
 * Reads a facts file and checks it.
 *
 * @param path JSON file.
 * @returns Its content, with chains filled in.
 * @throws {FileError} If the file cannot be read, has another form or contradicts itself.
 */
export function readFactsFile(path: string): Promise<FactsFile> {
  return readJsonFile<FactsFile>(path, FACTS_SCHEMA);
}
