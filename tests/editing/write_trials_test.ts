import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { loadFacts } from "../../src/editing/facts.ts";
import { type WriteTrial, writeTrials } from "../../src/editing/write_trials.ts";
import { demoSetup } from "../../src/evaluation/demo/setup.ts";
import { WORLD, WORLD_PATH } from "./world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };

/** Any name of the world, the longest first: "Mexico City" is no mention of Mexico. */
const NAME = new RegExp(
  `(?<![\\p{L}\\p{N}])(${
    [...new Set(Object.values(WORLD.facts).flat(2))].sort((a, b) => b.length - a.length)
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")
  })(?![\\p{L}\\p{N}])`,
  "gu",
);

/** Names that a text mentions, found without knowing how it was made. */
function namesIn(text: string): string[] {
  return [...text.matchAll(NAME)].map(([name]) => name);
}

/** Names in all prompts of the trials. */
async function namedIn(options: { exclude: readonly string[]; seed: number }): Promise<Set<string>> {
  const trials: WriteTrial[] = await Array.fromAsync(writeTrials(facts, options));
  assertGreater(trials.length, 0);
  return new Set(trials.flatMap(({ prompts }) => prompts.flatMap(({ prompt }) => namesIn(prompt))));
}

Deno.test("writeTrials() names nothing in a prompt that the demo sets aside, which it otherwise would", async () => {
  const { exclude, seed } = demoSetup(facts, REQUEST, "Noyon", 0);
  const aside = (named: Set<string>): string[] => exclude.filter((name) => named.has(name));
  assert(exclude.includes("Noyon"));
  assertGreater(aside(await namedIn({ exclude: [], seed })).length, 0);
  assertEquals(aside(await namedIn({ exclude, seed })), []);
});

Deno.test("writeTrials() names nothing in a prompt that is set aside, whatever that is", async () => {
  const usual = [...await namedIn({ exclude: [], seed: 0 })];
  await fc.assert(
    fc.asyncProperty(fc.subarray(usual, { maxLength: 60 }), fc.nat({ max: 3 }), async (exclude, seed) => {
      const named = await namedIn({ exclude, seed });
      assertEquals(exclude.filter((name) => named.has(name)), []);
    }),
    { seed: 5, numRuns: 30 },
  );
});

Deno.test("writeTrials() leaves a head or neighbour out with all its prompts", async () => {
  for await (const { fact, prompts } of writeTrials(facts, { exclude: [], seed: 0 })) {
    const groups = Map.groupBy(prompts.filter(({ group }) => group >= 0), ({ group }) => group);
    const owners = [...groups.values()].map((group) => {
      const heads = group.every(({ kind }) => kind === "head");
      assert(heads || group.every(({ kind }) => kind === "neighbour" || kind === "other fact"));
      return heads;
    });
    assertGreater(owners.filter((heads) => heads).length, 2);
    // A head is named by its own group alone.
    const heads = [...groups.values()].filter((_, i) => owners[i]);
    const named = heads.map((group) => [...new Set(group.flatMap(({ prompt }) => namesIn(prompt)))]);
    assert(named.every((names) => names.length === 1), fact.subject);
    assertEquals(new Set(named.flat()).size, heads.length);
  }
});
