import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadFacts } from "../../../src/editing/facts.ts";
import { demoSetup } from "../../../src/evaluation/demo/setup.ts";
import { tallyGroups } from "../../../src/evaluation/demo/tally.ts";
import { askedOf } from "./made_up_story.ts";

const facts = await loadFacts("fixtures/world/world.json");
const CAPITAL = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };

Deno.test("demoSetup() sets the named head and everything it judges by aside", () => {
  const setup = demoSetup(facts, CAPITAL, "Noyon", 0);
  assertEquals([setup.oneHop, setup.twoHop, setup.oldAnswer], [
    "The capital of France is",
    "The capital of the country where Noyon is located is",
    "Paris",
  ]);
  assert(setup.exclude.includes("Noyon") && !setup.exclude.includes("France"));
  const named = setup.prompts.filter(({ prompt }) => !prompt.includes("France"));
  for (const { prompt } of named) assert(setup.exclude.some((name) => prompt.includes(name)), prompt);
});

Deno.test("demoSetup() asks for the new answer along the edit and for each prompt's own fact elsewhere", () => {
  const { prompts } = demoSetup(facts, CAPITAL, "Noyon", 0);
  const wanted = new Map(prompts.map(({ group, wanted }) => [group, wanted]));
  assertEquals([...wanted], [
    ["Edited fact", "new"],
    ["Paraphrase", "new"],
    ["Question", "new"],
    ["Two hops, sentence", "new"],
    ["Two hops, question", "new"],
    ["Neighbours", "old"],
    ["Two-hop neighbours", "old"],
    ["Same subject", "old"],
  ]);
  for (const prompt of prompts) {
    assertEquals(prompt.new, "Berlin");
    if (prompt.wanted === "new") assertEquals(prompt.old, "Paris");
  }
  const neighbours = prompts.filter(({ group }) => group === "Neighbours");
  assertEquals(neighbours.length, 8);
  for (const { prompt, old } of neighbours) {
    const country = prompt.slice("The capital of ".length, -" is".length);
    assertEquals(facts.object("country_capital", country), old);
  }
});

Deno.test("demoSetup() leaves prompts out whose own answer is the new one", () => {
  const setups = Array.from({ length: 20 }, (_, seed) => demoSetup(facts, CAPITAL, "Noyon", seed));
  assert(setups.some(({ exclude }) => exclude.includes("Germany")), "a seed that judges by Germany");
  for (const { prompts } of setups) assert(!prompts.some(({ old }) => old === "Berlin"));
});

Deno.test("demoSetup() refuses a subject or a head that the facts do not know", () => {
  const atlantis = { ...CAPITAL, subject: "Atlantis" };
  assertThrows(() => demoSetup(facts, atlantis, "Noyon", 0), TypeError, "no country_capital of Atlantis; name another");
  assertThrows(() => demoSetup(facts, CAPITAL, "Brno", 0), TypeError, "no first hop from Brno");
});

Deno.test("tallyGroups() counts what was right before the edit where answers are to stay, else everything", () => {
  const tallies = tallyGroups([
    askedOf("Edited fact", "new", "Paris", "Berlin"),
    askedOf("Edited fact", "new", "Lyon", "Paris"),
    askedOf("Neighbours", "old", "Paris", "Paris"),
    askedOf("Neighbours", "old", "Lyon", "Paris"),
    askedOf("Neighbours", "old", "Paris", "Berlin"),
  ]);
  assertEquals(tallies.map(({ group, right, total }) => [group, right, total]), [
    ["Edited fact", 1, 2],
    ["Neighbours", 1, 2],
  ]);
});
