import { assert, assertEquals } from "@std/assert";
import { certifiedTop, type Evaluate } from "../../src/attribution/certified.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";

/** Highest scores by sorting all, the lower number first on ties. */
function bruteForce(scores: readonly number[], top: number): number[] {
  return scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, top);
}

function lookUp(scores: readonly number[], asked: number[]): Evaluate {
  return (indices) => {
    asked.push(...indices);
    return Promise.resolve(indices.map((i) => scores[i]!));
  };
}

Deno.test("certifiedTop() finds what scoring everything finds, whatever the slack of the bounds", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed, "certified");
    const count = random.below(400);
    // Rounded scores make ties, and slack of very different sizes makes good and useless bounds.
    const scores = Array.from({ length: count }, () => Math.round(random.uniform() * 50) / 10 - 2);
    const slack = 10 ** (3 * random.uniform() - 2);
    const bounds = scores.map((score) => score + slack * random.uniform());
    const top = 1 + random.below(40);
    const asked: number[] = [];
    const found = await certifiedTop(bounds, top, lookUp(scores, asked));
    const want = bruteForce(scores, top);
    assertEquals(found.scores, want.map((i) => scores[i]!), `seed ${seed}`);
    assertEquals(found.evaluated, asked.length);
    assertEquals(new Set(asked).size, asked.length);
  }
});

Deno.test("certifiedTop() scores few candidates where bounds are tight", async () => {
  const scores = Array.from({ length: 5000 }, (_, i) => 10 / (1 + i));
  const found = await certifiedTop(scores.map((s) => s * 1.01 + 1e-4), 20, lookUp(scores, []));
  assertEquals(found.indices, Array.from({ length: 20 }, (_, i) => i));
  assert(found.evaluated < 40, `scored ${found.evaluated}`);
});

Deno.test("certifiedTop() goes on while the next bound could still beat the last of the best", async () => {
  // The best candidate has the lowest bound, just above its score.
  const scores = [...new Array<number>(300).fill(0), 1];
  const bounds = [...new Array<number>(300).fill(2), 1];
  const found = await certifiedTop(bounds, 1, lookUp(scores, []));
  assertEquals([found.indices, found.evaluated], [[300], 301]);
});

Deno.test("certifiedTop() allows for rounding that lifts a score above its bound", async () => {
  // 20 candidates of equal score; the 21st has a bound 5e-6 below it and a score 2e-6 above the bound of the others.
  const scores = [...new Array<number>(40).fill(1), 1 + 2e-6];
  const bounds = [...new Array<number>(40).fill(1), 1 - 5e-6];
  const found = await certifiedTop(bounds, 1, lookUp(scores, []));
  assertEquals(found.indices, [40]);
});

Deno.test("certifiedTop() returns everything when more is wanted than there is, and nothing of nothing", async () => {
  const found = await certifiedTop([3, 5, 4], 10, lookUp([1, 2, 3], []));
  assertEquals(found, { indices: [2, 1, 0], scores: [3, 2, 1], evaluated: 3 });
  assertEquals(await certifiedTop([], 10, lookUp([], [])), { indices: [], scores: [], evaluated: 0 });
});
