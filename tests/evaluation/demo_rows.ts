import type { CaseAnswers } from "../../src/evaluation/columns.ts";
import type { DemoRow } from "../../src/evaluation/demo_row.ts";

/** Answers of a case with one prompt of each kind but two chains of three questions. */
export function answersOf(right: boolean): CaseAnswers {
  const one = [[right]];
  return {
    edit: one,
    paraphrase: one,
    question: one,
    twoHop: [[right, right, right], [right, false, false]],
    twoHopCloze: one,
    oldAnswer: one,
    neighbours: one,
    twoHopNeighbours: one,
    sameSubject: [],
    far: one,
  };
}

/** A row of a made-up model. */
export function rowOf(changes: Partial<DemoRow>): DemoRow {
  return {
    model: "model",
    modelHash: "hash",
    configuration: "PMET",
    settings: "settings",
    seed: 0,
    caseId: 1,
    layers: [1, 2],
    lastNll: [0.5],
    before: answersOf(true),
    after: answersOf(true),
    counts: null,
    failure: null,
    ...changes,
  };
}
