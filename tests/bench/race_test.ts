import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { best, median, race } from "./race.ts";

Deno.test("best() is the smallest value and refuses none", () => {
  assertEquals(best([3, 1, 2]), 1);
  assertThrows(() => best([]), RangeError, "Cannot take the best of no values: run at least one round");
});

Deno.test("median() is the middle value, or the mean of the two in the middle, in any order", () => {
  assertEquals([median([5]), median([9, 1, 2]), median([4, 1, 3, 2])], [5, 2, 2.5]);
  assertThrows(() => median([]), RangeError, "Cannot take the median of no values");
});

/** A clock that contenders move, and a log of who ran. */
function stage(msACall: Record<string, (run: number) => number>) {
  let clock = 0;
  const log: string[] = [];
  const runs = new Map<string, number>();
  const contenders = Object.entries(msACall).map(([name, ms]) => ({
    name,
    run: (calls: number): Promise<void> => {
      const run = runs.get(name) ?? 0;
      runs.set(name, run + 1);
      log.push(`${name} ${calls}`);
      clock += calls * ms(run);
      return Promise.resolve();
    },
  }));
  return { contenders, log, now: (): number => clock };
}

Deno.test("race() warms up, sets the calls of a round by time, and interleaves the rounds", async () => {
  const { contenders, log, now } = stage({ slow: () => 50, fast: () => 2 });
  const timings = await race(contenders, { rounds: 3, roundMs: 100, now });
  assertEquals(log, [
    ...["slow 1", "slow 1", "slow 4", "fast 1", "fast 1", "fast 4"],
    ...["slow 2", "fast 50", "slow 2", "fast 50", "slow 2", "fast 50"],
  ]);
  assertEquals(timings, [
    { name: "slow", bestMs: 50, medianMs: 50, calls: 2 },
    { name: "fast", bestMs: 2, medianMs: 2, calls: 50 },
  ]);
});

Deno.test("race() keeps the fastest and the middle round, and leaves warm-up out", async () => {
  // The first three runs warm up; then come the rounds.
  const rounds = [9, 9, 10, 12, 8, 30];
  const { contenders, now } = stage({ only: (run) => rounds[run]! });
  assertEquals(await race(contenders, { rounds: 3, roundMs: 10, now }), [
    { name: "only", bestMs: 8, medianMs: 12, calls: 1 },
  ]);
});

Deno.test("race() passes on what a contender throws", async () => {
  const broken = { name: "broken", run: () => Promise.reject(new Error("The queue is gone")) };
  await assertRejects(() => race([broken]), Error, "The queue is gone");
});
