import { assert, assertEquals } from "@std/assert";
import { loadFacts } from "../../src/editing/facts.ts";
import {
  askCase,
  type CaseAnswers,
  casePrompts,
  COLUMN_NAMES,
  columns,
  type JudgedCase,
} from "../../src/evaluation/columns.ts";
import { demoCases } from "../../src/evaluation/demo_suite.ts";
import { loadMquake } from "../../src/evaluation/mquake.ts";
import { splitCase } from "../../src/evaluation/split.ts";
import { WORLD_PATH, WorldAnswerer } from "../editing/world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const mquake = await loadMquake("fixtures/world/mquake.json");
const demo = demoCases(mquake, facts);

Deno.test("casePrompts() words the case's own chain as the case file does", () => {
  for (const demoCase of demo) {
    const source = mquake.find(({ id }) => id === demoCase.id)!;
    const prompts = casePrompts(facts, demoCase, splitCase(facts, demoCase, 0));
    assertEquals(
      prompts.twoHop[0],
      source.questions.map((question) => ({ prompt: `Q: ${question} A:`, answer: source.newAnswer })),
    );
    assertEquals(prompts.twoHopCloze[0], [{ prompt: source.cloze!, answer: source.newAnswer }]);
    assertEquals(prompts.edit, [[{ prompt: source.newHops[1].cloze, answer: source.newHops[1].answer }]]);
    assertEquals(prompts.oldAnswer[0].map(({ answer }) => answer), [source.answer, source.answer, source.answer]);
    assertEquals([prompts.paraphrase.length, prompts.question.length, prompts.twoHop.length], [2, 3, 4]);
  }
});

Deno.test("casePrompts() looks for the facts themselves in everything that must stay", async () => {
  const answerer = new WorldAnswerer();
  for (const demoCase of demo) {
    const prompts = casePrompts(facts, demoCase, splitCase(facts, demoCase, 1));
    const answers = await askCase(prompts, answerer);
    const { neighbours, twoHopNeighbours, sameSubject, far, oldAnswer, edit, paraphrase, question, twoHop } = answers;
    const right = [neighbours, twoHopNeighbours, sameSubject, far, oldAnswer].flat(2);
    assert(right.length > 0 && right.every(Boolean));
    assert(![edit, paraphrase, question, twoHop].flat(2).some(Boolean), "the new answer is not given before the edit");
  }
});

Deno.test("askCase() returns answers in the shape and order of the prompts", async () => {
  const demoCase = demo[0];
  const prompts = casePrompts(facts, demoCase, splitCase(facts, demoCase, 0));
  const numbered = { given: (pairs: readonly unknown[]) => Promise.resolve(pairs.map((_, i) => i % 3 === 1)) };
  const answers = await askCase(prompts, numbered);
  assertEquals(answers.edit, [[false]]);
  assertEquals(answers.paraphrase, [[true], [false]]);
  assertEquals(answers.question, [[false], [true], [false]]);
  assertEquals(answers.twoHop[0], [false, true, false]);
  for (const name of Object.keys(prompts) as (keyof typeof prompts)[]) {
    assertEquals(answers[name].map((group) => group.length), prompts[name].map((group) => group.length));
  }
});

/** Answers with one chain and nothing else, changed where the test says. */
function answersWith(change: Partial<CaseAnswers>): CaseAnswers {
  return {
    edit: [[true]],
    paraphrase: [[true], [false]],
    question: [[true], [true], [false]],
    twoHop: [[true, false, false]],
    twoHopCloze: [[true]],
    oldAnswer: [[false, false, false]],
    neighbours: [[true]],
    twoHopNeighbours: [[true]],
    sameSubject: [],
    far: [[true]],
    ...change,
  };
}

Deno.test("columns() takes means over prompts and chains of all cases together", () => {
  const before = answersWith({});
  const first: JudgedCase = { before, after: answersWith({}) };
  const second: JudgedCase = {
    before,
    after: answersWith({
      edit: [[false]],
      twoHop: [[false, false, false], [true, true, true], [true, true, false]],
      oldAnswer: [[false, true, true], [false, false, false], [false, false, false]],
    }),
  };
  const table = columns([first, second]);
  assertEquals(Object.keys(table), [...COLUMN_NAMES]);
  assertEquals(table.edit, { label: "edit", mean: 1 / 2, count: 2, unit: "prompt" });
  assertEquals([table.paraphrase.mean, table.paraphrase.count], [2 / 4, 4]);
  assertEquals([table.question.mean, table.question.count], [4 / 6, 6]);
  assertEquals(table.twoHopAny, { label: "two-hop any", mean: 3 / 4, count: 4, unit: "chain" });
  assertEquals([table.twoHopMean.mean, table.twoHopMean.count], [(1 / 3 + 0 + 1 + 2 / 3) / 4, 4]);
  assertEquals([table.oldAnswer.mean, table.oldAnswer.count], [1 / 4, 4]);
  assertEquals([table.sameSubject.mean, table.sameSubject.count], [NaN, 0]);
});

Deno.test("columns() counts what must stay only where it was right before the edit", () => {
  const before = answersWith({ neighbours: [[true], [false], [true]], far: [[false]], sameSubject: [[true]] });
  const after = answersWith({ neighbours: [[true], [true], [false]], far: [[true]], sameSubject: [[false]] });
  const table = columns([{ before, after }]);
  assertEquals([table.neighbours.mean, table.neighbours.count], [1 / 2, 2]);
  assertEquals([table.sameSubject.mean, table.sameSubject.count], [0, 1]);
  assertEquals([table.far.mean, table.far.count], [NaN, 0]);
});
