import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Facts, loadFacts } from "../../src/editing/facts.ts";
import { alternatives, selectSupport } from "../../src/editing/support.ts";
import { WORLD, WORLD_PATH, WorldAnswerer } from "./world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const answerer = new WorldAnswerer();
const FRANCE = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };

/** Heads of two-hop chains to `entity`, read from the file itself. */
function headsTo(entity: string): string[] {
  return Object.values(WORLD.facts).flat().filter(([, object]) => object === entity).map(([subject]) => subject);
}

Deno.test("selectSupport() keeps other subjects of the kind too, after those that the file tells the relation of", async () => {
  const capitals = WORLD.facts["country_capital"];
  const few = capitals.filter(([country]) => country === "France").concat(capitals.slice(0, 4));
  const untold = capitals.slice(4).map(([country]) => country).filter((country) => country !== "France");
  const partial = Facts.parse({ ...WORLD, facts: { ...WORLD.facts, country_capital: few }, chains: [] }, WORLD_PATH);
  const exclude = untold.slice(0, 3);
  const { used } = await selectSupport(partial, FRANCE, { answerer, exclude });
  const told = few.slice(1).map(([country]) => country);
  assertEquals(used.siblings.slice(0, 4).toSorted(), told.toSorted());
  // Only countries that landmarks lie in, as France's landmarks do, and none that is set aside.
  const reached = new Set(WORLD.facts["landmark_country"].map(([, country]) => country));
  const wanted = untold.slice(3).filter((country) => reached.has(country));
  assertGreater(wanted.length, 20);
  assertEquals(used.siblings.slice(4).toSorted(), wanted.toSorted());
  assertEquals(used.siblingHeads.map(({ object }) => object), used.siblings);
});

Deno.test("selectSupport() takes one-hop prompts, six heads in two forms, and what must stay", async () => {
  const support = await selectSupport(facts, FRANCE, { answerer });
  assertEquals(support.oneHop, ["The capital of France is", "Q: What is the capital of France? A:"]);
  assertEquals(support.used.heads.length, 6);
  assertEquals(support.twoHop.length, 12);
  for (const [i, head] of support.used.heads.entries()) {
    assert(headsTo("France").includes(head.subject));
    const about = WORLD.relations[head.relation].description.replace("{}", head.subject);
    assertEquals(support.twoHop.slice(2 * i, 2 * i + 2), [
      `The capital of ${about} is`,
      `Q: What is the capital of ${about}? A:`,
    ]);
  }
  // Every other country is kept: there are fewer than sixty.
  const others = WORLD.facts["country_capital"].length - 1;
  const { siblings, siblingHeads } = support.used;
  assertEquals([siblings.length, new Set(siblings).size, siblingHeads.length], [others, others, others]);
  const preserved = support.preserve.map(({ prompt }) => prompt);
  assertEquals(preserved.slice(0, 2), [
    `The capital of ${siblings[0]} is`,
    `Q: What is the capital of ${siblings[0]}? A:`,
  ]);
  assertEquals(siblingHeads.map(({ object }) => object), siblings);
  // Chains take turns: a sentence, a question, a sentence.
  const asked = preserved.slice(2 * others, 3 * others).map((prompt) => prompt.startsWith("Q: "));
  assertEquals(asked, siblings.map((_, i) => i % 2 === 1));
  // Three other relations of a country, each bare and through two heads, each as sentence and question.
  assertEquals(support.used.otherRelations, ["country_language", "country_continent", "country_currency"]);
  // One other fact about each of twenty kept countries, as sentence and question of the second wording.
  const { otherFacts } = support.used;
  assertEquals(otherFacts.map(({ subject }) => subject), siblings.slice(0, 20));
  for (const { relation, subject } of otherFacts) {
    const [first, second] = WORLD.relations[relation].cloze.map((form) => form.replace("{}", subject));
    assert(preserved.includes(second!));
    assert(!preserved.includes(first!), "the first wording judges the edit");
  }
  assertEquals(preserved.length, 3 * others + 2 * 20 + 3 * 3 * 2);
  assertEquals(new Set(preserved).size, preserved.length);
  assert(preserved.includes("The official language of France is"));
  assert(preserved.includes("Q: Which language is spoken in France? A:"));
  assert(!preserved.includes("People in France speak"), "the first wording judges the edit");
  const counts = Map.groupBy(support.preserve, ({ kind }) => kind);
  assertEquals([...counts].map(([kind, prompts]) => [kind, prompts.length]), [
    ["neighbour", 3 * others],
    ["other fact", 40],
    ["same subject", 18],
  ]);
});

Deno.test("selectSupport() asks for nothing that the facts do not know, and repeats itself under one seed", async () => {
  const [first, again, other] = await Promise.all(
    [1, 1, 2].map((seed) => selectSupport(facts, FRANCE, { answerer, seed })),
  );
  assertEquals(first, again);
  assert(JSON.stringify(first.twoHop) !== JSON.stringify(other.twoHop));
  for (const prompt of [...first.oneHop, ...first.twoHop, ...first.preserve.map(({ prompt }) => prompt)]) {
    assert(answerer.knows(prompt), prompt);
  }
});

Deno.test("selectSupport() never uses a name that is set aside", async () => {
  const relations = ["country_capital", "country_language", "company_city", "sport_country"];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...relations),
      fc.nat(),
      fc.nat({ max: 1000 }),
      fc.array(fc.nat(), { maxLength: 60 }),
      async (relation, subjectIndex, seed, picks) => {
        const pairs = WORLD.facts[relation];
        const subject = pairs[subjectIndex % pairs.length][0];
        const names = [...headsTo(subject), ...pairs.map(([other]) => other), ...pairs.flatMap(([o]) => headsTo(o))]
          .filter((name) => name !== subject);
        const exclude = picks.map((pick) => names[pick % names.length]);
        const request = { prompt: WORLD.relations[relation].cloze[0], subject, target: "x" };
        const support = await selectSupport(facts, request, { answerer, exclude, seed });
        const { heads, siblings, siblingHeads } = support.used;
        const used = [...heads.map((h) => h.subject), ...siblings, ...siblingHeads.map((h) => h.subject)];
        const left = headsTo(subject).filter((name) => !exclude.includes(name));
        assertEquals(used.filter((name) => exclude.includes(name)), []);
        assertEquals(heads.length, Math.min(6, left.length));
      },
    ),
    { seed: 11, numRuns: 150 },
  );
});

Deno.test("selectSupport() goes only through heads that the model answers", async () => {
  const heads = headsTo("France");
  const unknown = heads.slice(0, heads.length - 4);
  const support = await selectSupport(facts, FRANCE, { answerer: new WorldAnswerer(unknown) });
  assertEquals(support.used.heads.map(({ subject }) => subject).sort(), heads.slice(-4).sort());
  assertEquals(support.used.unanswered.toSorted(), unknown.toSorted());
});

Deno.test("selectSupport() wants both hops of a head answered", async () => {
  const { used } = await selectSupport(facts, FRANCE, { answerer });
  const [first, second] = used.heads.map(({ subject }) => subject);
  const wrong = [
    `${first} is in the country of`,
    `The capital of ${WORLD.relations.landmark_country.description.replace("{}", second)} is`,
  ];
  assert(used.heads.slice(0, 2).every(({ relation }) => relation === "landmark_country"));
  const partial = {
    given: (pairs: readonly { prompt: string }[]) =>
      Promise.resolve(pairs.map(({ prompt }) => !wrong.includes(prompt))),
  };
  const support = await selectSupport(facts, FRANCE, { answerer: partial });
  assertEquals(support.used.unanswered, [first, second]);
  assertEquals(support.used.heads.length, 6);
});

Deno.test("selectSupport() takes a head without its second hop where the file does not have the fact", async () => {
  const unnamed = { ...FRANCE, subject: "Atlantis" };
  const support = await selectSupport(facts, unnamed, { answerer });
  assertEquals([support.twoHop.length, support.used.heads.length, support.used.siblings.length], [0, 0, 36]);
});

Deno.test("selectSupport() takes a large file in no time, and asks of at most 240 heads whether the model knows them", async () => {
  const form = (name: string) => ({ cloze: [`The ${name} of {} is`], description: `the ${name} of {}` });
  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const large = Facts.parse({
    relations: { birthplace: form("birthplace"), mayor: form("mayor") },
    facts: {
      // Of the cities that people were born in, the file tells the mayor of the first half.
      birthplace: [
        ...many(40_000, (i) => [`Person ${i}`, `City ${i}`]),
        ...many(20_000, (i) => [`Neighbour ${i}`, "City 0"]),
      ],
      mayor: many(20_000, (i) => [`City ${i}`, `Mayor ${i}`]),
    },
  }, "large.json");
  const asked: string[] = [];
  const start = performance.now();
  const { used } = await selectSupport(large, { prompt: "The mayor of {} is", subject: "City 0", target: "Mayor 1" }, {
    answerer: {
      given: (pairs) => {
        asked.push(...pairs.map(({ prompt }) => prompt));
        return Promise.resolve(pairs.map(() => false));
      },
    },
  });
  // Comparing every city with every mayor takes many seconds, looking each up some hundredths of one.
  assertLess(performance.now() - start, 2500);
  assertEquals([used.heads.length, used.unanswered.length, used.siblings.length], [0, 240, 60]);
  // The first hop of each head and both together.
  assertEquals([asked.length, new Set(asked).size], [480, 480]);
});

Deno.test("selectSupport() follows the sizes asked for", async () => {
  const support = await selectSupport(facts, FRANCE, { answerer, heads: 3, siblings: 4, others: 2 });
  const { heads, siblings, siblingHeads, otherFacts } = support.used;
  const chains = siblings.map((sibling) => Math.min(2, headsTo(sibling).length)).reduce((sum, count) => sum + count);
  assertEquals([heads.length, siblings.length, siblingHeads.length, otherFacts.length], [3, 4, chains, 2]);
});

Deno.test("selectSupport() refuses to set the edited subject aside and templates it does not know", async () => {
  await assertRejects(
    () => selectSupport(facts, FRANCE, { answerer, exclude: ["France"] }),
    TypeError,
    'Cannot set "France" aside: it is the subject of the edit; exclude only heads and other subjects',
  );
  await assertRejects(
    () => selectSupport(facts, { ...FRANCE, prompt: "The river of {} is" }, { answerer }),
    TypeError,
    'Cannot tell the relation of "The river of {} is"',
  );
});

Deno.test("alternatives() lists the other objects of a relation once each", () => {
  const all = [...new Set(WORLD.facts.country_continent.map(([, object]) => object))];
  assertGreater(all.length, 2);
  assertEquals(alternatives(facts, "country_continent", " Europe"), all.filter((name) => name !== "Europe"));
  assertEquals(alternatives(facts, "country_continent", "Atlantis"), all);
  assertThrows(() => alternatives(facts, "river", "x"), TypeError, 'Cannot find relation "river"');
});
