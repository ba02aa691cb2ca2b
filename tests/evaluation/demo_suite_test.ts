import { assertEquals, assertThrows } from "@std/assert";
import { Facts, loadFacts } from "../../src/editing/facts.ts";
import { answeredCases, demoCases } from "../../src/evaluation/demo_suite.ts";
import { loadMquake } from "../../src/evaluation/mquake.ts";
import { WORLD, WORLD_PATH, WorldAnswerer } from "../editing/world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const cases = await loadMquake("fixtures/world/mquake.json");
const demo = demoCases(cases, facts);

Deno.test("demoCases() picks the 60 edits of a second hop, of 49 distinct facts", () => {
  assertEquals(demo.length, 60);
  assertEquals(new Set(demo.map(({ request, relation }) => `${request.subject}|${relation}`)).size, 49);
  const [first] = demo;
  assertEquals(first.id, 61);
  assertEquals(first.request, { prompt: "The currency of {} is the", subject: "Ireland", target: "British Pound" });
  assertEquals(first.head, { relation: "landmark_country", subject: "East Wall", object: "Ireland" });
  assertEquals([first.relation, first.oldAnswer], ["country_currency", "Euro"]);
  assertEquals(first.questions[0], {
    prompt: "Q: What is the currency of the country where East Wall is located? A:",
    answer: "Euro",
  });
  assertEquals(first.hops.map(({ prompt }) => prompt), [
    "East Wall is in the country of",
    "The currency of Ireland is the",
  ]);
});

Deno.test("demoCases() refuses cases of another world", () => {
  const other = structuredClone({ relations: WORLD.relations, facts: WORLD.facts });
  other.facts.country_currency = other.facts.country_currency.filter(([subject]) => subject !== "Ireland");
  assertThrows(
    () => demoCases(cases, Facts.parse(other, "other.json")),
    TypeError,
    "Cannot use case 61: it has Euro as country_currency of Ireland, other.json has nothing; use the cases and the " +
      "facts of one world",
  );
});

Deno.test("answeredCases() keeps cases with one answered question and all hops answered", async () => {
  assertEquals(await answeredCases(demo, new WorldAnswerer()), demo);
  const three = demo.slice(0, 3);
  const without = (wrong: readonly string[]) => ({
    given: (pairs: readonly { prompt: string }[]) =>
      Promise.resolve(pairs.map(({ prompt }) => !wrong.includes(prompt))),
  });
  const questions = three[1].questions.map(({ prompt }) => prompt);
  assertEquals(await answeredCases(three, without(questions.slice(0, 2))), three);
  assertEquals(await answeredCases(three, without(questions)), [three[0], three[2]]);
  for (const { prompt } of three[2].hops) {
    assertEquals(await answeredCases(three, without([prompt])), three.slice(0, 2));
  }
  assertEquals(await answeredCases([], new WorldAnswerer()), []);
});
