/**
 * What is judged in a case and what an edit may use: the two never share a head or a subject.
 *
 * @module
 */

import type { Fact, Facts } from "../editing/facts.ts";
import type { Support } from "../editing/support.ts";
import { SeededRandom } from "../linalg/seeded_random.ts";
import type { DemoCase } from "./demo_suite.ts";

/** The judged side of one case. */
export interface CaseSplit {
  /** First hops of the judged chains through the edited subject, the case's own first. */
  readonly heads: readonly Fact[];
  /** Other facts of the edited relation that must stay. */
  readonly neighbours: readonly Fact[];
  /** First hops to neighbours from others than the edited subject, at most one a neighbour, whose chains must stay. */
  readonly neighbourHeads: readonly Fact[];
  /** What else the facts say of the edited subject. */
  readonly sameSubject: readonly Fact[];
  /** Facts of other relations and other subjects. */
  readonly far: readonly Fact[];
  /** Heads and subjects that an edit must not use: every name of the first three lists. */
  readonly exclude: readonly string[];
}

/** How much of each kind is judged. */
export const SPLIT_SIZES = {
  /** Judged chains a case, at most: its own and up to three more of its first relation. */
  heads: 4,
  /** Judged neighbours a case, at most; never more than half of the other subjects, rounded up. */
  neighbours: 8,
  /** Facts of other relations and subjects a case. */
  far: 45,
} as const;

/** Draws from each list in turn, so that every relation has its share until it runs out. */
function drawInTurn(lists: readonly (readonly Fact[])[], count: number): Fact[] {
  const drawn: Fact[] = [];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let round = 0; round < longest && drawn.length < count; round++) {
    for (const list of lists) {
      if (round < list.length && drawn.length < count) drawn.push(list[round]);
    }
  }
  return drawn;
}

/**
 * Sets aside what a case is judged by.
 *
 * @param facts Facts of the case's world.
 * @param demoCase Case to split.
 * @param seed Seed of the suite; each case draws from a stream of its own.
 * @returns The judged side, and the names an edit must leave out.
 */
export function splitCase(facts: Facts, demoCase: DemoCase, seed: number): CaseSplit {
  const { head, relation, request: { subject } } = demoCase;
  const random = new SeededRandom(seed, "split", demoCase.id);
  const alike = facts.headsOf(subject).filter((other) =>
    other.relation === head.relation && other.subject !== head.subject
  );
  const listed = alike.filter((other) => facts.listsChain(other, relation));
  // Where the file lists only some chains, as those that a model answers, half of them are left to learn from.
  const judged = listed.length < alike.length
    ? Math.min(SPLIT_SIZES.heads, Math.ceil((listed.length + 1) / 2))
    : SPLIT_SIZES.heads;
  const heads = [head, ...random.sample(listed, judged - 1)];

  const others = facts.factsOf(relation).filter((fact) => fact.subject !== subject);
  const neighbours = random.sample(others, Math.min(SPLIT_SIZES.neighbours, Math.floor((others.length + 1) / 2)));
  const neighbourHeads = neighbours.flatMap((neighbour) =>
    random.sample(
      facts.headsOf(neighbour.subject).filter((first) => first.relation === head.relation && first.subject !== subject),
      1,
    )
  );

  const farByRelation = [...facts.relations.keys()].filter((name) => name !== relation).map((name) =>
    random.shuffle(facts.factsOf(name).filter((fact) => fact.subject !== subject && fact.object !== subject))
  );
  const aside = [...heads, ...neighbours, ...neighbourHeads].map((fact) => fact.subject);
  return {
    heads,
    neighbours,
    neighbourHeads,
    sameSubject: facts.otherFacts(subject, relation),
    far: drawInTurn(farByRelation, SPLIT_SIZES.far),
    exclude: [...new Set(aside)],
  };
}

/** How many of each kind a split has; sums over cases have the same form. */
export interface SplitCounts {
  /** Cases counted. */
  readonly cases: number;
  /** Judged chains through the edited subject. */
  readonly chains: number;
  /** Heads that support goes through. */
  readonly supportHeads: number;
  /** Judged facts of the same relation. */
  readonly neighbours: number;
  /** Judged chains through neighbours. */
  readonly twoHopNeighbours: number;
  /** Judged facts of the edited subject. */
  readonly sameSubject: number;
  /** Judged facts of other relations and subjects. */
  readonly far: number;
  /** Subjects of the same relation that are preserved. */
  readonly preservedSubjects: number;
  /** Chains through them that are preserved. */
  readonly preservedChains: number;
}

/**
 * Adds the sizes of splits.
 *
 * @param parts The judged side of each case with what its edit used.
 * @returns The sums over all cases.
 */
export function countSplits(parts: readonly { split: CaseSplit; support: Support }[]): SplitCounts {
  const sum = (size: (part: { split: CaseSplit; support: Support }) => number): number =>
    parts.reduce((total, part) => total + size(part), 0);
  return {
    cases: parts.length,
    chains: sum(({ split }) => split.heads.length),
    supportHeads: sum(({ support }) => support.used.heads.length),
    neighbours: sum(({ split }) => split.neighbours.length),
    twoHopNeighbours: sum(({ split }) => split.neighbourHeads.length),
    sameSubject: sum(({ split }) => split.sameSubject.length),
    far: sum(({ split }) => split.far.length),
    preservedSubjects: sum(({ support }) => support.used.siblings.length),
    preservedChains: sum(({ support }) => support.used.siblingHeads.length),
  };
}
