/**
 * Which prompts an edit learns from and which it keeps, taken from a facts file.
 *
 * @module
 */

import { SeededRandom } from "../linalg/seeded_random.ts";
import { type Fact, type Facts, learnedForms, type Relation, spareForms } from "./facts.ts";
import { type Answerer, fillTemplate, type PromptAnswer } from "./prompt_forms.ts";
import type { EditRequest } from "./requests.ts";

/** How {@linkcode selectSupport} selects. */
export interface SupportOptions {
  /** Tells which heads the model answers before the edit. */
  readonly answerer: Answerer;
  /** Heads and subjects set aside to judge the edit by; none of them is used. None by default. */
  readonly exclude?: readonly string[];
  /** Seed of the selection, 0 by default. */
  readonly seed?: number;
  /** Support heads wanted. Default: that of {@linkcode SUPPORT_SIZES}, as for the other sizes. */
  readonly heads?: number;
  /** Other subjects of the relation to keep, each with a chain or two through it. */
  readonly siblings?: number;
  /** Facts of other relations about those subjects to keep, at most one a subject. */
  readonly others?: number;
}

/** What a selection used, for the record of an edit. */
export interface SupportRecord {
  /** Facts file. */
  readonly path: string;
  /** Relation of the request. */
  readonly relation: string;
  /** Seed of the selection. */
  readonly seed: number;
  /** Names set aside, as given. */
  readonly exclude: readonly string[];
  /** First hops to the edited subject that the two-hop support goes through. */
  readonly heads: readonly Fact[];
  /** Heads that were tried and left out because the model does not answer them. */
  readonly unanswered: readonly string[];
  /** Other subjects of the relation that are kept. */
  readonly siblings: readonly string[];
  /** First hops to those subjects whose chains are kept. */
  readonly siblingHeads: readonly Fact[];
  /** Other relations of the edited subject that are kept. */
  readonly otherRelations: readonly string[];
  /** Facts of other relations about the kept subjects that are kept too. */
  readonly otherFacts: readonly Fact[];
}

/** A prompt whose continuation must stay what it is. */
export interface KeptPrompt {
  /** The prompt. */
  readonly prompt: string;
  /** What is asked: the edited relation of another subject, another relation of one, or of the edited subject. */
  readonly kind: "neighbour" | "other fact" | "same subject";
  /** That subject; for a chain, the one it leads through. */
  readonly subject: string;
}

/** Prompts that an edit in chain mode works with. */
export interface Support {
  /** Prompts of the fact itself: its first sentence and first question, or all sentences where there is no question. */
  readonly oneHop: readonly string[];
  /** The same forms with a first hop's description for the subject. */
  readonly twoHop: readonly string[];
  /** Prompts whose continuation must stay what it is. */
  readonly preserve: readonly KeptPrompt[];
  /** Where they came from. */
  readonly used: SupportRecord;
}

/** How many of each kind are selected by default. */
export const SUPPORT_SIZES = {
  /** Support heads; methods measured 3 to 6 as enough. */
  heads: 6,
  /** Other subjects of the relation. */
  siblings: 60,
  /** Facts of other relations about those. */
  others: 20,
} as const;

/** Below this many subjects to keep, two chains are kept through each. */
const FEW_SIBLINGS = 20;

/** Heads that the model is asked about at most; a large file may know thousands that it does not. */
const MOST_TRIED = 240;

/** Support heads through which the subject's other relations are kept. */
const HEADS_PER_OTHER_RELATION = 2;

/** The prompts that show whether the model knows a head: its first hop, and both hops where the file has the second. */
function headPrompts(facts: Facts, relation: Relation, head: Fact): PromptAnswer[] {
  const object = facts.object(relation.name, head.object);
  const firstHop = fillTemplate(facts.relation(head.relation).cloze[0], head.subject);
  const pairs: PromptAnswer[] = [{ prompt: firstHop, answer: head.object }];
  if (object === undefined) return pairs;
  return [...pairs, { prompt: fillTemplate(relation.cloze[0], facts.describe(head)), answer: object }];
}

/** Sorts heads into those the model answers, until enough are found or many were tried, and those it does not. */
async function answeredHeads(
  facts: Facts,
  relation: Relation,
  candidates: readonly Fact[],
  count: number,
  answerer: Answerer,
): Promise<{ heads: Fact[]; unanswered: string[] }> {
  const heads: Fact[] = [];
  const unanswered: string[] = [];
  let next = 0;
  const most = Math.min(MOST_TRIED, candidates.length);
  while (heads.length < count && next < most) {
    const batch = candidates.slice(next, Math.min(most, next + count - heads.length));
    next += batch.length;
    const prompts = batch.map((head) => headPrompts(facts, relation, head));
    const given = (await answerer.given(prompts.flat())).values();
    for (const [i, head] of batch.entries()) {
      const all = prompts[i].map(() => given.next().value === true);
      if (all.every(Boolean)) heads.push(head);
      else unanswered.push(head.subject);
    }
  }
  return { heads, unanswered };
}

/**
 * Selects the prompts for one request.
 *
 * Support is the fact's one-hop prompts and two-hop prompts through heads that the model answers. Preserved are other
 * subjects of the relation, a chain or two through each, another fact about some of them, and the edited subject's other
 * relations, also through two support heads. Many subjects in few wordings keep more than few in all: a subject is kept
 * in its first wording and one more, its chain in one, and the wordings take turns. What is kept is the model's own
 * answer, so subjects of the same kind of which the file does not tell the relation serve as well, after those of which
 * it does. Other relations are kept in their second wording: the first stays free to judge the edit by.
 *
 * @param facts Facts to select from.
 * @param request Request in its one form; its template must be a cloze form of the facts.
 * @param options The model's answers, names set aside, seed and sizes.
 * @returns Prompts and the record of what was used.
 * @throws {TypeError} If the relation cannot be told, or the edited subject itself is set aside.
 */
export async function selectSupport(facts: Facts, request: EditRequest, options: SupportOptions): Promise<Support> {
  const {
    answerer,
    exclude = [],
    seed = 0,
    heads: headCount = SUPPORT_SIZES.heads,
    siblings: siblingCount = SUPPORT_SIZES.siblings,
    others: otherCount = SUPPORT_SIZES.others,
  } = options;
  const relation = facts.relationOf(request.prompt);
  const { subject } = request;
  const aside = new Set(exclude);
  if (aside.has(subject)) {
    throw new TypeError(
      `Cannot set ${
        JSON.stringify(subject)
      } aside: it is the subject of the edit; exclude only heads and other subjects`,
    );
  }
  const random = new SeededRandom(seed, "support", relation.name, subject);
  const free = (fact: Fact): boolean => !aside.has(fact.subject) && fact.subject !== subject;

  // Listed chains first: the others are tried only where those do not suffice.
  const candidates = random.shuffle(facts.headsOf(subject).filter(free))
    .sort((a, b) => Number(facts.listsChain(b, relation.name)) - Number(facts.listsChain(a, relation.name)));
  const { heads, unanswered } = await answeredHeads(facts, relation, candidates, headCount, answerer);
  const told = facts.factsOf(relation.name);
  const siblings = random.sample(told.filter(free), siblingCount).map((sibling) => sibling.subject);
  const untold = facts.kinOf(subject).filter((name) =>
    !aside.has(name) && facts.object(relation.name, name) === undefined
  );
  siblings.push(...random.sample(untold, siblingCount - siblings.length));
  const siblingHeads = siblings.flatMap((sibling) =>
    random.sample(facts.headsOf(sibling).filter(free), siblings.length < FEW_SIBLINGS ? 2 : 1)
  );
  const others = facts.otherFacts(subject, relation.name);
  const otherFacts = siblings.slice(0, otherCount).flatMap((sibling) =>
    random.sample(facts.otherFacts(sibling, relation.name), 1)
  );
  const wordings = [subject, ...heads.slice(0, HEADS_PER_OTHER_RELATION).map((head) => facts.describe(head))];

  return {
    oneHop: learnedForms(relation, subject),
    twoHop: heads.flatMap((head) => learnedForms(relation, facts.describe(head))),
    preserve: [
      ...siblings.flatMap((sibling, i) =>
        kept("neighbour", sibling, firstAndAnother(learnedForms(relation, sibling), i))
      ),
      ...siblingHeads.flatMap((head, i) =>
        kept("neighbour", head.object, takingTurns(learnedForms(relation, facts.describe(head)), i))
      ),
      ...otherFacts.flatMap((other) =>
        kept("other fact", other.subject, spareForms(facts.relation(other.relation), other.subject))
      ),
      ...others.flatMap((other) =>
        kept("same subject", subject, wordings.flatMap((about) => spareForms(facts.relation(other.relation), about)))
      ),
    ],
    used: {
      path: facts.path,
      relation: relation.name,
      seed,
      exclude: [...exclude],
      heads,
      unanswered,
      siblings,
      siblingHeads,
      otherRelations: others.map((other) => other.relation),
      otherFacts,
    },
  };
}

function kept(kind: KeptPrompt["kind"], subject: string, prompts: readonly string[]): KeptPrompt[] {
  return prompts.map((prompt) => ({ prompt, kind, subject }));
}

/** One of the forms, another one for each `turn`. */
function takingTurns(forms: readonly string[], turn: number): string[] {
  return [forms[turn % forms.length]!];
}

/** The first form, and one of the others where there are any. */
function firstAndAnother(forms: readonly string[], turn: number): string[] {
  const [first, ...more] = forms;
  return more.length > 0 ? [first!, ...takingTurns(more, turn)] : [first!];
}

/** Which of the heads each two-hop prompt goes through: every head has as many forms as the fact itself, in a row. */
export function headsOfPrompts({ oneHop, twoHop }: Support): number[] {
  return twoHop.map((_, i) => Math.floor(i / oneHop.length));
}

/**
 * Lists what else a relation's answer could be: the contrast that tells one fact from the others.
 *
 * @param facts Facts to look in.
 * @param relation Name of the relation.
 * @param target Answer to tell apart; left out.
 * @returns The relation's other objects, each once, in the order of the file.
 * @throws {TypeError} If there is no such relation.
 */
export function alternatives(facts: Facts, relation: string, target: string): string[] {
  const objects = new Set(facts.factsOf(relation).map((fact) => fact.object));
  objects.delete(target.trim());
  return [...objects];
}
