/**
 * The columns of the demo suite's table: which prompts each asks, and how answers become a mean with a count.
 *
 * @module
 */

import { askingForms, type Fact, type Facts } from "../editing/facts.ts";
import { type Answerer, fillTemplate, type PromptAnswer, questionPrompt } from "../editing/prompt_forms.ts";
import type { DemoCase } from "./demo_suite.ts";
import type { CaseSplit } from "./split.ts";

/** Kinds of prompts; a group is what counts as one: a chain where it has several wordings, else a single prompt. */
export interface CasePrompts<T = PromptAnswer> {
  /** The request's own form, the first cloze. */
  readonly edit: readonly (readonly T[])[];
  /** The relation's other cloze forms. */
  readonly paraphrase: readonly (readonly T[])[];
  /** The relation's questions. */
  readonly question: readonly (readonly T[])[];
  /** For each judged chain its questions, or its cloze forms where the relation has none, with the new answer. */
  readonly twoHop: readonly (readonly T[])[];
  /** For each judged chain its first cloze form, with the new answer. */
  readonly twoHopCloze: readonly (readonly T[])[];
  /** The same with the old answer. */
  readonly oldAnswer: readonly (readonly T[])[];
  /** Other subjects of the relation, first cloze. */
  readonly neighbours: readonly (readonly T[])[];
  /** Chains through those subjects, first cloze. */
  readonly twoHopNeighbours: readonly (readonly T[])[];
  /** Other relations of the edited subject, first cloze. */
  readonly sameSubject: readonly (readonly T[])[];
  /** Facts of other relations and subjects, first cloze. */
  readonly far: readonly (readonly T[])[];
}

/** Whether each prompt's answer was given, in the shape of the prompts. */
export type CaseAnswers = CasePrompts<boolean>;

/** Names of the kinds of prompts. */
type Kind = keyof CasePrompts;

const KINDS: readonly Kind[] = [
  "edit",
  "paraphrase",
  "question",
  "twoHop",
  "twoHopCloze",
  "oldAnswer",
  "neighbours",
  "twoHopNeighbours",
  "sameSubject",
  "far",
];

/**
 * Words everything a case is judged by.
 *
 * @param facts Facts of the case's world.
 * @param demoCase Case to judge.
 * @param split Its judged side.
 * @returns Prompts with the answers looked for after the edit.
 */
export function casePrompts(facts: Facts, demoCase: DemoCase, split: CaseSplit): CasePrompts {
  const relation = facts.relation(demoCase.relation);
  const { subject, target } = demoCase.request;
  const questions = (about: string, answer: string): PromptAnswer[] =>
    relation.question.map((form) => ({ prompt: questionPrompt(fillTemplate(form, about)), answer }));
  const asked = (about: string, answer: string): PromptAnswer[] =>
    askingForms(relation, about).map((prompt) => ({ prompt, answer }));
  const statement = (name: string, about: string, answer: string): PromptAnswer[] => [
    { prompt: fillTemplate(facts.relation(name).cloze[0], about), answer },
  ];
  const state = (fact: Fact): PromptAnswer[] => statement(fact.relation, fact.subject, fact.object);
  const objects = new Map(split.neighbours.map((fact): [string, string] => [fact.subject, fact.object]));
  const [first, ...paraphrases] = relation.cloze.map((form): PromptAnswer[] => [
    { prompt: fillTemplate(form, subject), answer: target },
  ]);
  return {
    edit: [first],
    paraphrase: paraphrases,
    question: questions(subject, target).map((pair) => [pair]),
    twoHop: split.heads.map((head) => asked(facts.describe(head), target)),
    twoHopCloze: split.heads.map((head) => statement(relation.name, facts.describe(head), target)),
    oldAnswer: split.heads.map((head) => asked(facts.describe(head), demoCase.oldAnswer)),
    neighbours: split.neighbours.map(state),
    twoHopNeighbours: split.neighbourHeads.map((head) =>
      statement(relation.name, facts.describe(head), objects.get(head.object)!)
    ),
    sameSubject: split.sameSubject.map(state),
    far: split.far.map(state),
  };
}

/**
 * Asks a model everything a case is judged by, in one call.
 *
 * @param prompts Prompts of the case.
 * @param answerer Model, edited or not.
 * @returns Whether each answer was given.
 */
export async function askCase(prompts: CasePrompts, answerer: Answerer): Promise<CaseAnswers> {
  const given = (await answerer.given(KINDS.flatMap((kind) => prompts[kind].flat()))).values();
  const answers = KINDS.map((kind) => [
    kind,
    prompts[kind].map((group) => group.map(() => given.next().value === true)),
  ]);
  return Object.fromEntries(answers) as CaseAnswers;
}

/** Columns of the table, in the order they are shown. */
export type ColumnName =
  | "edit"
  | "paraphrase"
  | "question"
  | "twoHopAny"
  | "twoHopMean"
  | "twoHopCloze"
  | "oldAnswer"
  | "neighbours"
  | "twoHopNeighbours"
  | "sameSubject"
  | "far";

/** How answers become one column. */
interface ColumnRule {
  readonly label: string;
  readonly unit: "prompt" | "chain";
  readonly kind: Kind;
  /** Whether only prompts count that were right before the edit. */
  readonly kept?: true;
  /** Share of a group that counts: the mean unless one answer is enough. */
  readonly any?: true;
}

const RULES: Readonly<Record<ColumnName, ColumnRule>> = {
  edit: { label: "edit", unit: "prompt", kind: "edit" },
  paraphrase: { label: "paraphrase", unit: "prompt", kind: "paraphrase" },
  question: { label: "question", unit: "prompt", kind: "question" },
  twoHopAny: { label: "two-hop any", unit: "chain", kind: "twoHop", any: true },
  twoHopMean: { label: "two-hop mean", unit: "chain", kind: "twoHop" },
  twoHopCloze: { label: "two-hop cloze", unit: "chain", kind: "twoHopCloze" },
  oldAnswer: { label: "old answer", unit: "chain", kind: "oldAnswer", any: true },
  neighbours: { label: "neighbours", unit: "prompt", kind: "neighbours", kept: true },
  twoHopNeighbours: { label: "two-hop neighbours", unit: "chain", kind: "twoHopNeighbours", kept: true },
  sameSubject: { label: "same subject", unit: "prompt", kind: "sameSubject", kept: true },
  far: { label: "far", unit: "prompt", kind: "far", kept: true },
};

/** Names of all columns, in the order they are shown. */
export const COLUMN_NAMES: readonly ColumnName[] = Object.keys(RULES) as ColumnName[];

/** One cell of the table. */
export interface Column {
  /** Heading. */
  readonly label: string;
  /** Mean over `count`, from 0 to 1; NaN where nothing counted. */
  readonly mean: number;
  /** Prompts or chains that counted. */
  readonly count: number;
  /** What `count` counts. */
  readonly unit: "prompt" | "chain";
}

/** Answers to the same case before and after its edit. */
export interface JudgedCase {
  /** Answers of the unedited model. */
  readonly before: CaseAnswers;
  /** Answers of the edited model. */
  readonly after: CaseAnswers;
}

/**
 * Adds judged cases up to the columns of the table; every prompt or chain weighs the same, whichever case it is of.
 *
 * @param cases Answers before and after each edit.
 * @returns A cell a column.
 */
export function columns(cases: readonly JudgedCase[]): Record<ColumnName, Column> {
  const cells = COLUMN_NAMES.map((name): [ColumnName, Column] => {
    const { label, unit, kind, any, kept } = RULES[name];
    const scores = cases.flatMap(({ before, after }) =>
      after[kind].flatMap((group, i) => {
        if (kept && !before[kind][i].every(Boolean)) return [];
        const right = group.filter(Boolean).length;
        return [any ? Number(right > 0) : right / group.length];
      })
    );
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return [name, { label, mean, count: scores.length, unit }];
  });
  return Object.fromEntries(cells) as Record<ColumnName, Column>;
}
