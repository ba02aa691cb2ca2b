/**
 * The demo's edit and everything it is judged by.
 *
 * @module
 */
import type { Facts } from "../../editing/facts.ts";
import { fillTemplate, type PromptAnswer } from "../../editing/prompt_forms.ts";
import { type EditRequest, normalizeRequest } from "../../editing/requests.ts";
import { type CasePrompts, casePrompts } from "../columns.ts";
import type { DemoCase } from "../demo_suite.ts";
import { splitCase } from "../split.ts";

/** A prompt that is asked before and after the edit. */
export interface DemoPrompt {
  /** Kind of prompt, as tables and figures name it. */
  readonly group: string;
  /** Finished prompt. */
  readonly prompt: string;
  /** Answer according to the facts. */
  readonly old: string;
  /** Answer that the edit asks for. */
  readonly new: string;
  /** Which of the two is right after the edit. */
  readonly wanted: "old" | "new";
}

/** The demo's edit, with its judged side. */
export interface DemoSetup {
  /** Facts that support and siblings come from. */
  readonly facts: Facts;
  /** The edit. */
  readonly request: EditRequest;
  /** Answer before it, according to the facts. */
  readonly oldAnswer: string;
  /** Heads and subjects that the edit must not use. */
  readonly exclude: readonly string[];
  /** First cloze form with the subject filled in. */
  readonly oneHop: string;
  /** The same form through the judged head. */
  readonly twoHop: string;
  /** Everything that is asked, group by group. */
  readonly prompts: readonly DemoPrompt[];
  /** Seed of the split. */
  readonly seed: number;
}

/** Groups of the demo by what the suite calls them, in the order of the table. */
const GROUPS: readonly { kind: keyof CasePrompts; group: string; wanted: "old" | "new" }[] = [
  { kind: "edit", group: "Edited fact", wanted: "new" },
  { kind: "paraphrase", group: "Paraphrase", wanted: "new" },
  { kind: "question", group: "Question", wanted: "new" },
  { kind: "twoHopCloze", group: "Two hops, sentence", wanted: "new" },
  { kind: "twoHop", group: "Two hops, question", wanted: "new" },
  { kind: "neighbours", group: "Neighbours", wanted: "old" },
  { kind: "twoHopNeighbours", group: "Two-hop neighbours", wanted: "old" },
  { kind: "sameSubject", group: "Same subject", wanted: "old" },
];

/**
 * Sets the demo up.
 *
 * @param facts Facts of the model's world.
 * @param wish The edit; its prompt must be a cloze form of the facts.
 * @param head Name of a head whose first hop leads to the edited subject; it and others are held out to judge by.
 * @param seed Seed of the split.
 * @returns The edit, the names it must not use, and all prompts.
 * @throws {TypeError} If the facts do not know the edited fact or the head.
 */
export function demoSetup(facts: Facts, wish: EditRequest, head: string, seed: number): DemoSetup {
  const request = normalizeRequest(wish);
  const relation = facts.relationOf(request.prompt);
  const oldAnswer = facts.object(relation.name, request.subject);
  const first = facts.headsOf(request.subject).find((fact) => fact.subject === head);
  if (oldAnswer === undefined || first === undefined) {
    const missing = oldAnswer === undefined ? `${relation.name} of ${request.subject}` : `first hop from ${head}`;
    throw new TypeError(`Cannot set the demo up: ${facts.path} has no ${missing}; name another subject or head`);
  }
  const demoCase: DemoCase = {
    id: 0,
    request,
    relation: relation.name,
    head: first,
    oldAnswer,
    questions: [],
    hops: [],
  };
  const split = splitCase(facts, demoCase, seed);
  const asked = casePrompts(facts, demoCase, split);
  const oldOf = ({ answer }: PromptAnswer, wanted: "old" | "new"): string => wanted === "old" ? answer : oldAnswer;
  return {
    facts,
    request,
    oldAnswer,
    exclude: split.exclude,
    oneHop: fillTemplate(relation.cloze[0], request.subject),
    twoHop: fillTemplate(relation.cloze[0], facts.describe(first)),
    prompts: GROUPS.flatMap(({ kind, group, wanted }) =>
      asked[kind].flat().map((pair) => ({
        group,
        prompt: pair.prompt,
        old: oldOf(pair, wanted),
        new: request.target,
        wanted,
      }))
    ).filter((prompt) => prompt.old !== prompt.new),
    seed,
  };
}
