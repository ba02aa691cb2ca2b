import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Facts, loadFacts } from "../../src/editing/facts.ts";
import { selectSupport } from "../../src/editing/support.ts";
import { casePrompts } from "../../src/evaluation/columns.ts";
import { demoCases } from "../../src/evaluation/demo_suite.ts";
import { loadMquake } from "../../src/evaluation/mquake.ts";
import { countSplits, splitCase } from "../../src/evaluation/split.ts";
import { WORLD, WORLD_PATH, WorldAnswerer } from "../editing/world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const demo = demoCases(await loadMquake("fixtures/world/mquake.json"), facts);
const answerer = new WorldAnswerer();
const SEEDS = [0, 1, 2, 3, 4];

Deno.test("splitCase() with selectSupport() never lets an edit use what judges it, in any case under any seed", async () => {
  for (const seed of SEEDS) {
    for (const demoCase of demo) {
      const split = splitCase(facts, demoCase, seed);
      const { exclude } = split;
      const support = await selectSupport(facts, demoCase.request, { answerer, exclude, seed });
      const judgedHeads = split.heads.map(({ subject }) => subject);
      const judgedNeighbours = split.neighbours.map(({ subject }) => subject);
      const { heads, siblings, siblingHeads } = support.used;
      const judgedNames = [...split.heads, ...split.neighbours, ...split.neighbourHeads].map(({ subject }) => subject);
      assertEquals(exclude.toSorted(), [...new Set(judgedNames)].toSorted());
      const name = `case ${demoCase.id}, seed ${seed}`;
      assertEquals(heads.filter(({ subject }) => judgedHeads.includes(subject)), [], name);
      assertEquals(siblings.filter((subject) => judgedNeighbours.includes(subject)), [], name);
      assertEquals(siblingHeads.filter(({ object }) => judgedNeighbours.includes(object)), [], name);

      // The same, read from the prompts themselves.
      const { edit: _, question: __, ...judged } = casePrompts(facts, demoCase, split);
      const used = new Set([...support.oneHop, ...support.twoHop, ...support.preserve.map(({ prompt }) => prompt)]);
      const shared = Object.values(judged).flat(2).filter(({ prompt }) => used.has(prompt));
      assertEquals(shared, [], name);
      const forms = Object.values(WORLD.relations).flatMap(({ cloze, question }) => [
        ...cloze,
        ...question.map((form) => `Q: ${form} A:`),
      ]);
      for (const head of [...split.heads, ...split.neighbourHeads]) {
        const about = WORLD.relations[head.relation].description.replace("{}", head.subject);
        assertEquals(forms.filter((form) => used.has(form.replace("{}", about))), [], `${name}: ${about}`);
      }
    }
  }
});

Deno.test("splitCase() gives 240 chains, and four fewer without one case", () => {
  for (const seed of SEEDS) {
    const heads = demo.map((demoCase) => splitCase(facts, demoCase, seed).heads);
    assertEquals(heads.flat().length, 240);
    assertEquals(heads.slice(1).flat().length, 236);
    for (const [i, own] of heads.entries()) {
      assertEquals(own[0], demo[i].head);
      assertEquals(new Set(own.map(({ subject }) => subject)).size, 4);
      assert(own.every(({ relation, object }) => relation === own[0].relation && object === demo[i].request.subject));
    }
  }
});

Deno.test("splitCase() judges at most half of the other subjects, and eight of them", () => {
  for (const demoCase of demo) {
    const split = splitCase(facts, demoCase, 0);
    const wanted = { company_city: 7, company_country: 7, sport_country: 2 }[demoCase.relation] ?? 8;
    assertEquals(split.neighbours.length, wanted);
    assert(split.neighbours.every(({ relation }) => relation === demoCase.relation));
    assert(split.neighbours.every(({ subject }) => subject !== demoCase.request.subject));
    for (const head of split.neighbourHeads) {
      assertEquals(head.relation, demoCase.head.relation);
      assertEquals(split.neighbours.filter(({ subject }) => subject === head.object).length, 1);
    }
    // Two of the countries have no landmark, so their chains do not exist.
    const reachable = split.neighbours.filter(({ subject }) =>
      WORLD.facts[demoCase.head.relation].some(([, object]) => object === subject)
    );
    assertEquals(split.neighbourHeads.map(({ object }) => object), reachable.map(({ subject }) => subject));
  }
});

Deno.test("splitCase() judges other facts of the subject, except for sports, which have one fact each", () => {
  for (const demoCase of demo) {
    const { sameSubject } = splitCase(facts, demoCase, 0);
    if (demoCase.relation === "sport_country") assertEquals(sameSubject, []);
    else assert(sameSubject.length > 0);
    assert(sameSubject.every(({ subject }) => subject === demoCase.request.subject));
    assert(sameSubject.every(({ relation }) => relation !== demoCase.relation));
  }
  assertEquals(demo.filter(({ relation }) => relation === "sport_country").length, 7);
});

Deno.test("splitCase() judges 45 facts far away, of all other relations", () => {
  for (const demoCase of demo) {
    const { far } = splitCase(facts, demoCase, 0);
    assertEquals(far.length, 45);
    assertEquals(new Set(far.map(({ relation, subject }) => `${relation}|${subject}`)).size, 45);
    assertEquals(new Set(far.map(({ relation }) => relation)).size, 9);
    const { subject } = demoCase.request;
    assert(
      far.every((fact) => fact.relation !== demoCase.relation && fact.subject !== subject && fact.object !== subject),
    );
  }
});

Deno.test("splitCase() repeats itself under one seed and differs between seeds and cases", () => {
  const [first, second] = demo.filter(({ request }) => request.subject === "Ireland");
  assertEquals(splitCase(facts, first, 3), splitCase(facts, first, 3));
  assertNotEquals(splitCase(facts, first, 3).far, splitCase(facts, first, 4).far);
  assertNotEquals(splitCase(facts, first, 3).neighbours, splitCase(facts, second, 3).neighbours);
});

Deno.test("splitCase() leaves the edited subject to the edit where the first relation leads from it to neighbours", async () => {
  const form = (name: string) => ({ cloze: [`The ${name} of {} is`], description: `the ${name} of {}` });
  const ring = ["A", "B", "C", "D"];
  const borders = Facts.parse({
    relations: { border: form("border"), capital: form("capital") },
    facts: {
      border: ring.map((name, i) => [name, ring[(i + 1) % ring.length]]),
      capital: ring.map((name) => [name, `Capital ${name}`]),
    },
  }, "borders.json");
  const request = { prompt: "The capital of {} is", subject: "B", target: "Capital D" };
  const head = { relation: "border", subject: "A", object: "B" };
  const own = { id: 0, request, relation: "capital", head, oldAnswer: "Capital B", questions: [], hops: [] };
  for (const seed of SEEDS) {
    const { exclude, neighbourHeads } = splitCase(borders, own, seed);
    assertEquals(neighbourHeads.filter(({ subject }) => subject === "B"), []);
    await selectSupport(borders, request, { answerer, exclude, seed });
  }
});

Deno.test("countSplits() adds up what is judged and what is used", async () => {
  const parts = await Promise.all(demo.map(async (demoCase) => {
    const split = splitCase(facts, demoCase, 0);
    return { split, support: await selectSupport(facts, demoCase.request, { answerer, exclude: split.exclude }) };
  }));
  const counts = countSplits(parts);
  assertEquals([counts.cases, counts.chains, counts.far], [60, 240, 60 * 45]);
  // 34 country cases with 8 neighbours, 19 company cases with 7, 7 sport cases with 2.
  assertEquals(counts.neighbours, 34 * 8 + 19 * 7 + 7 * 2);
  // Countries have 27 subjects left, companies 7 and sports 2; of few subjects two chains each are kept.
  assertEquals(counts.preservedSubjects, 34 * 27 + 19 * 7 + 7 * 2);
  assertEquals(counts.preservedChains, 34 * 27 + 19 * 14 + 7 * 4);
  // 52 cases have ten heads or more; of the others four heads are judged and what remains is support.
  const few = demo.map(({ request }) =>
    Object.values(WORLD.facts).flat().filter(([, o]) => o === request.subject).length
  )
    .filter((heads) => heads < 10);
  assertEquals(few.length, 8);
  assertEquals(counts.supportHeads, 52 * 6 + few.reduce((sum, heads) => sum + heads - 4, 0));
});

Deno.test("splitCase() judges landmark chains that the case file lists, and support takes other landmarks too", async () => {
  const landmarks = await loadFacts("fixtures/landmarks/world.json");
  const cases = demoCases(await loadMquake("fixtures/landmarks/mquake.json"), landmarks);
  const listed = new Set(landmarks.chains.map((chain) => `${chain.subject}|${chain.relations[1]}`));
  const splits = cases.map((demoCase) => splitCase(landmarks, demoCase, 0));
  assertEquals(cases.length, 24);
  for (const [i, { heads, exclude }] of splits.entries()) {
    const { request, relation } = cases[i];
    assert(heads.every(({ subject }) => listed.has(`${subject}|${relation}`)));
    const knowsAll = { given: (pairs: readonly unknown[]) => Promise.resolve(pairs.map(() => true)) };
    const support = await selectSupport(landmarks, request, { answerer: knowsAll, exclude });
    const judged = new Set(exclude);
    assertEquals(support.used.heads.filter(({ subject }) => judged.has(subject)), []);
    assertEquals(support.used.siblings.filter((subject) => judged.has(subject)), []);
    // What the file lists is used before other landmarks.
    const free = landmarks.headsOf(request.subject).filter((head) => !judged.has(head.subject));
    const known = free.filter((head) => landmarks.listsChain(head, relation)).length;
    const used = support.used.heads.filter((head) => landmarks.listsChain(head, relation)).length;
    assertEquals(used, Math.min(6, known));
    // Three sentences a relation: of the fact itself, and through each head.
    assertEquals([support.oneHop.length, support.twoHop.length], [3, 3 * support.used.heads.length]);
  }
  // Four chains an edit, or half of those that the file lists.
  const chains = Map.groupBy(landmarks.chains, ({ entities, relations }) => `${entities[1]}|${relations[1]}`);
  const wanted = cases.map(({ request, relation }) =>
    Math.min(4, Math.ceil(chains.get(`${request.subject}|${relation}`)!.length / 2))
  );
  assertEquals(splits.map(({ heads }) => heads.length), wanted);
  assertEquals(wanted.slice(0, 14).reduce((sum, count) => sum + count, 0), 56);
});

Deno.test("casePrompts() asks chains in sentences where the relation has no questions", async () => {
  const landmarks = await loadFacts("fixtures/landmarks/world.json");
  const cases = demoCases(await loadMquake("fixtures/landmarks/mquake.json"), landmarks);
  const spain = cases.find(({ request }) => request.subject === "Spain")!;
  assertEquals(spain.questions[0].prompt, `People in ${landmarks.describe(spain.head)} speak`);
  const prompts = casePrompts(landmarks, spain, splitCase(landmarks, spain, 0));
  assertEquals(prompts.question, []);
  assertEquals(prompts.twoHop[0].map(({ prompt }) => prompt), spain.questions.map(({ prompt }) => prompt));
  assertEquals(prompts.paraphrase.flat().map(({ prompt, answer }) => [prompt, answer]), [
    ["The language spoken in Spain is", "Finnish"],
    ["The official language of Spain is", "Finnish"],
  ]);
});
