import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { askingForms, Facts, learnedForms, loadFacts, spareForms } from "../../src/editing/facts.ts";
import { WORLD, WORLD_PATH } from "./world_answerer.ts";

const SMALL = {
  relations: {
    country: { cloze: ["{} is in", "{} lies in"], question: ["Where is {}?"], description: "the country of {}" },
    capital: { cloze: ["The capital of {} is"], question: [], description: "the capital of {}" },
    language: { cloze: ["People in {} speak"], question: ["What do people in {} speak?"], description: "{}'s tongue" },
  },
  facts: {
    country: [["Lyon", "France"], ["Nice", "France"], ["Pisa", "Italy"]],
    capital: [["France", "Paris"], ["Italy", "Rome"]],
    language: [["France", "French"]],
  },
  chains: [{ subject: "Lyon", relations: ["country", "capital"], entities: ["Lyon", "France", "Paris"] }],
};

/** SMALL with one part replaced. */
function changed(change: (copy: typeof SMALL) => void): unknown {
  const copy = structuredClone(SMALL);
  change(copy);
  return copy;
}

Deno.test("Facts looks facts up by relation, subject, object and template", () => {
  const facts = Facts.parse(SMALL, "small.json");
  assertEquals(facts.path, "small.json");
  assertEquals(facts.relationOf("{} lies in").name, "country");
  assertEquals(facts.relationOf(" The capital of {} is ").name, "capital");
  assertEquals(facts.object("capital", "Italy"), "Rome");
  assertEquals(facts.object("capital", "Spain"), undefined);
  assertEquals(facts.object("river", "Spain"), undefined);
  assertEquals(facts.headsOf("France"), [
    { relation: "country", subject: "Lyon", object: "France" },
    { relation: "country", subject: "Nice", object: "France" },
  ]);
  assertEquals(facts.headsOf("Lyon"), []);
  assertEquals([facts.kinOf("France"), facts.kinOf("Lyon")], [["Italy"], []]);
  assertEquals(facts.otherFacts("France", "capital"), [{ relation: "language", subject: "France", object: "French" }]);
  assertEquals(facts.describe({ relation: "country", subject: "Lyon", object: "France" }), "the country of Lyon");
  assertEquals(facts.chains[0].entities, ["Lyon", "France", "Paris"]);
});

Deno.test("Facts.parse() fills in what may be left out", () => {
  const { chains: _, ...rest } = SMALL;
  const facts = Facts.parse({ ...rest, relations: { ...rest.relations, capital: { ...rest.relations.capital } } }, "x");
  assertEquals(facts.chains, []);
  const noQuestions = { relations: { capital: { cloze: ["{} has"], description: "{}" } }, facts: {} };
  assertEquals(Facts.parse(noQuestions, "x").relation("capital").question, []);
  assertEquals(Facts.parse(noQuestions, "x").factsOf("capital"), []);
});

Deno.test("learnedForms() asks by the first sentence and question, or by all sentences where there is no question", () => {
  const facts = Facts.parse(SMALL, "small.json");
  assertEquals(learnedForms(facts.relation("country"), "Lyon"), ["Lyon is in", "Q: Where is Lyon? A:"]);
  const country = { ...facts.relation("country"), question: [] };
  assertEquals(learnedForms(country, "Lyon"), ["Lyon is in", "Lyon lies in"]);
});

Deno.test("spareForms() asks in the second wording of each kind, or in the only one", () => {
  const facts = Facts.parse(SMALL, "small.json");
  assertEquals(spareForms(facts.relation("country"), "Lyon"), ["Lyon lies in", "Q: Where is Lyon? A:"]);
  assertEquals(spareForms(facts.relation("capital"), "France"), ["The capital of France is"]);
});

Deno.test("askingForms() asks by all questions, or by all sentences where there is no question", () => {
  const facts = Facts.parse(SMALL, "small.json");
  assertEquals(askingForms(facts.relation("country"), "Lyon"), ["Q: Where is Lyon? A:"]);
  assertEquals(askingForms(facts.relation("capital"), "France"), ["The capital of France is"]);
});

Deno.test("Facts.listsChain() knows the listed chains, and misses none of relations without any", () => {
  const facts = Facts.parse(SMALL, "small.json");
  const [lyon, nice] = facts.headsOf("France");
  assertEquals([facts.listsChain(lyon, "capital"), facts.listsChain(nice, "capital")], [true, false]);
  assertEquals([facts.listsChain(lyon, "language"), facts.listsChain(nice, "language")], [true, true]);
});

Deno.test("loadFacts() reads the facts of the world models whole", async () => {
  const facts = await loadFacts(WORLD_PATH);
  assertEquals([...facts.relations.keys()], Object.keys(WORLD.relations));
  for (const [relation, pairs] of Object.entries(WORLD.facts)) {
    assertEquals(facts.factsOf(relation).map(({ subject, object }) => [subject, object]), pairs);
    for (const form of WORLD.relations[relation].cloze) assertEquals(facts.relationOf(form).name, relation);
  }
  assertEquals(facts.chains.length, WORLD.chains.length);
});

Deno.test("Facts.relationOf() lists the forms it knows when a template is none of them", () => {
  const facts = Facts.parse(SMALL, "small.json");
  assertThrows(
    () => facts.relationOf("The river of {} is"),
    TypeError,
    'Cannot tell the relation of "The river of {} is": it is no cloze form of small.json; add it there or use one of ' +
      "these:\n  {} is in (country)\n  {} lies in (country)\n  The capital of {} is (capital)\n" +
      "  People in {} speak (language)",
  );
  assertThrows(
    () => facts.relation("river"),
    TypeError,
    'Cannot find relation "river" in small.json: it has country, capital, language',
  );
});

Deno.test("Facts.parse() refuses facts that contradict each other", () => {
  assertThrows(
    () => Facts.parse(changed((copy) => copy.facts.capital.push(["France", "Nice"])), "bad.json"),
    FileError,
    'Cannot use bad.json: at facts.capital.2 found ["France","Nice"]: subject stands twice, before with "Paris"; ' +
      "correct the file",
  );
  assertThrows(
    () => Facts.parse(changed((copy) => copy.relations.language.cloze.push("{} is in")), "bad.json"),
    FileError,
    'at relations.language.cloze.1 found "{} is in": already a form of country',
  );
  assertThrows(
    () => Facts.parse({ ...SMALL, facts: { ...SMALL.facts, toString: [["a", "b"]] } }, "bad.json"),
    FileError,
    'at facts.toString found [["a","b"]]: no relation of that name',
  );
});

Deno.test("Facts.parse() refuses chains that the facts do not have", () => {
  assertThrows(
    () => Facts.parse(changed((copy) => copy.chains[0].entities[2] = "Rome"), "bad.json"),
    FileError,
    'at chains.0.entities.2 found "Rome": no such fact of capital',
  );
  assertThrows(
    () => Facts.parse(changed((copy) => copy.chains[0].entities.pop()), "bad.json"),
    FileError,
    "wanted the subject and then one entity a relation",
  );
});

Deno.test("Facts.parse() names the place of a malformed part", () => {
  assertThrows(
    () => Facts.parse(changed((copy) => copy.relations.country.cloze[0] = "It is in"), "bad.json"),
    FileError,
    'at relations.country.cloze.0 found "It is in": wanted one {} for the subject',
  );
  assertThrows(
    () => Facts.parse(changed((copy) => copy.facts.country[1][1] = " "), "bad.json"),
    FileError,
    'at facts.country.1.1 found " ": wanted a text that is not empty',
  );
  assertThrows(
    () => Facts.parse({ facts: {} }, "bad.json"),
    FileError,
    "at relations found nothing, wanted record",
  );
});

Deno.test("loadFacts() says so when there is no file", async () => {
  await assertRejects(() => loadFacts("fixtures/world/none.json"), FileError, "Cannot read fixtures/world/none.json");
});

Deno.test("Facts takes what most facts lead to for the kind of an entity that several relations lead to", () => {
  const facts = Facts.parse(
    changed(({ facts }) => {
      facts.country.push(["Marina Bay", "Singapore"], ["Orchard Road", "Singapore"]);
      facts.capital.push(["Singapore", "Singapore"]);
    }),
    "small.json",
  );
  assertEquals(facts.kinOf("Singapore"), ["France", "Italy"]);
});
