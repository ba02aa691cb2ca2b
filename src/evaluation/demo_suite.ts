/**
 * Which cases the demo suite judges an editor by: edits of the implicit second hop of two-hop chains that the unedited
 * model answers.
 *
 * @module
 */

import type { Fact, Facts } from "../editing/facts.ts";
import { type Answerer, type PromptAnswer, questionPrompt } from "../editing/prompt_forms.ts";
import type { EditRequest } from "../editing/requests.ts";
import type { MquakeCase } from "./mquake.ts";

/** One edit of the suite, with the chain it comes from. */
export interface DemoCase {
  /** Number in the case file. */
  readonly id: number;
  /** The edit of the second hop; its subject never stands in the chain's question. */
  readonly request: EditRequest;
  /** Relation of the second hop. */
  readonly relation: string;
  /** First hop of the case's own chain; its object is the edited subject. */
  readonly head: Fact;
  /** Answer of the second hop, and so of the chain, before the edit. */
  readonly oldAnswer: string;
  /** The two-hop question in all wordings with the old answer. */
  readonly questions: readonly PromptAnswer[];
  /** Both hops as beginnings of sentences with their old answers. */
  readonly hops: readonly PromptAnswer[];
}

/**
 * Picks the two-hop cases that edit the second hop alone.
 *
 * @param cases Cases of a file, in any number of hops and edits.
 * @param facts Facts the chains stand on.
 * @returns The cases that fit, in the order of the file.
 * @throws {TypeError} If a chain is none of the facts: cases and facts are then of different worlds.
 */
export function demoCases(cases: readonly MquakeCase[], facts: Facts): DemoCase[] {
  const fitting = cases.filter(({ hops, editedHops }) =>
    hops.length === 2 && editedHops.length === 1 && editedHops[0] === 1
  );
  return fitting.map((mquake) => {
    const [first, second] = mquake.triples;
    for (const [subject, relation, object] of [first, second]) {
      const known = facts.object(relation, subject);
      if (known !== object) {
        throw new TypeError(
          `Cannot use case ${mquake.id}: it has ${object} as ${relation} of ${subject}, ${facts.path} has ` +
            `${known ?? "nothing"}; use the cases and the facts of one world`,
        );
      }
    }
    const { prompt, subject, target } = mquake.rewrites[0];
    // Cases over a relation without question forms have beginnings of sentences in their place.
    const ask = facts.relation(second[1]).question.length > 0 ? questionPrompt : (sentence: string) => sentence;
    return {
      id: mquake.id,
      request: { prompt, subject, target },
      relation: second[1],
      head: { relation: first[1], subject: first[0], object: first[2] },
      oldAnswer: mquake.answer,
      questions: mquake.questions.map((question) => ({ prompt: ask(question), answer: mquake.answer })),
      hops: mquake.hops.map(({ cloze, answer }) => ({ prompt: cloze, answer })),
    };
  });
}

/**
 * Keeps the cases that the unedited model answers: at least one wording of the two-hop question, and every single hop.
 *
 * @param cases Cases of {@linkcode demoCases}.
 * @param answerer The unedited model.
 * @returns The cases it answers, in the same order.
 */
export async function answeredCases(cases: readonly DemoCase[], answerer: Answerer): Promise<DemoCase[]> {
  const given = (await answerer.given(cases.flatMap(({ questions, hops }) => [...questions, ...hops]))).values();
  const take = (pairs: readonly PromptAnswer[]): boolean[] => pairs.map(() => given.next().value === true);
  return cases.filter(({ questions, hops }) => {
    const answered = take(questions);
    const known = take(hops);
    return answered.some(Boolean) && known.every(Boolean);
  });
}
