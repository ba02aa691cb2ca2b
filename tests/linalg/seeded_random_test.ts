import { assert, assertEquals, assertGreater, assertLess, assertNotEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";

/** xoshiro128** as its definition has it, over BigInt so that no 32-bit operator is shared with the code under test. */
function reference(state: bigint[], count: number): number[] {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  let [a, b, c, d] = state;
  return Array.from({ length: count }, () => {
    const result = (rotate((b * 5n) & mask, 7n) * 9n) & mask;
    const t = (b << 9n) & mask;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11n);
    return Number(result);
  });
}

Deno.test("SeededRandom.uint32() follows the definition of xoshiro128**", () => {
  // First output by hand: rotl(2 * 5, 7) * 9 = 1280 * 9.
  assertEquals(SeededRandom.fromState([1, 2, 3, 4]).uint32(), 11520);
  for (
    const state of [[1, 2, 3, 4], [0xffffffff, 0, 0x80000000, 7], [0xdeadbeef, 0x12345678, 0x9abcdef0, 0x0fedcba9]]
  ) {
    const random = SeededRandom.fromState(state);
    assertEquals(Array.from({ length: 200 }, () => random.uint32()), reference(state.map(BigInt), 200));
  }
});

Deno.test("SeededRandom gives one stream per seed and label", () => {
  const first = (seed: number, ...labels: (string | number)[]) => {
    const random = new SeededRandom(seed, ...labels);
    return [random.uint32(), random.uint32()];
  };
  assertEquals(first(7, "split", 3), first(7, "split", 3));
  const streams = [
    first(7),
    first(8),
    first(7 + 2 ** 32),
    first(7, "split"),
    first(7, "support"),
    first(7, "split", 3),
    first(7, "split", "3"),
    first(7, 3, "split"),
  ];
  assertEquals(new Set(streams.map(String)).size, streams.length);
});

Deno.test("SeededRandom.uniform() stays in [0, 1) with the mean and variance of the uniform distribution", () => {
  const random = new SeededRandom(1);
  const draws = Array.from({ length: 20000 }, () => random.uniform());
  assert(draws.every((x) => x >= 0 && x < 1));
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  const variance = draws.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / draws.length;
  // Five standard errors: sqrt(1/12 / n) of the mean, sqrt(1/180 / n) of the squared deviation.
  assertLess(Math.abs(mean - 0.5), 5 * Math.sqrt(1 / 12 / draws.length));
  assertLess(Math.abs(variance - 1 / 12), 5 * Math.sqrt(1 / 180 / draws.length));
});

Deno.test("SeededRandom.below() gives every number equally often", () => {
  const random = new SeededRandom(2);
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70000; i++) counts[random.below(7)]++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10000) ** 2 / 10000, 0);
  // 6 degrees of freedom: above 22.5 with probability 0.001; the seed is fixed.
  assertLess(chiSquare, 22.5);
  assertEquals(new SeededRandom(3).below(1), 0);
});

Deno.test("SeededRandom.sample() draws without replacement and leaves its items alone", () => {
  const items = Array.from({ length: 30 }, (_, i) => i);
  const before = [...items];
  const drawn = new SeededRandom(4).sample(items, 12);
  assertEquals(drawn.length, 12);
  assertEquals(new Set(drawn).size, 12);
  assertEquals(items, before);
  assertEquals(new SeededRandom(4).sample([1, 2], 5).sort(), [1, 2]);
  assertEquals(new SeededRandom(4).sample([], 5), []);
});

Deno.test("SeededRandom.shuffle() reaches all orders about equally often", () => {
  const random = new SeededRandom(5);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffle(["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  // 5 degrees of freedom: above 20.5 with probability 0.001.
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assertLess(chiSquare, 20.5);
  assertGreater(counts.get("abc")!, 0);
  assertNotEquals(new SeededRandom(6).shuffle([...Array(20).keys()]), [...Array(20).keys()]);
});

Deno.test("SeededRandom names the numbers it cannot use", () => {
  assertThrows(() => new SeededRandom(-1), RangeError, "Cannot seed with -1: wanted a whole number from 0 to 2^53 - 1");
  assertThrows(() => new SeededRandom(0.5), RangeError, "Cannot seed with 0.5");
  assertThrows(() => new SeededRandom(0).below(0), RangeError, "Cannot draw a number below 0");
  assertThrows(() => new SeededRandom(0).sample([1], -1), RangeError, "Cannot sample -1 items");
  assertThrows(() => SeededRandom.fromState([0, 0, 0, 0]), RangeError, "Cannot continue from state [0,0,0,0]");
});
