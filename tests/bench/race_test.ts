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

/** A clock that contenders move, by a wait and by what each call takes, and a log of who ran. */
function stage(msACall: Record<string, (run: number) => number>, waitMs = 0) {
  let clock = 0;
  const log: string[] = [];
  const runs = new Map<string, number>();
  const contenders = Object.entries(msACall).map(([name, ms]) => ({
    name,
    run: (calls: number): Promise<void> => {
      const run = runs.get(name) ?? 0;
      runs.set(name, run + 1);
      log.push(`${name} ${calls}`);
      clock += calls * ms(run) + waitMs;
      return Promise.resolve();
    },
  }));
  return { contenders, log, now: (): number => clock };
}

Deno.test("race() warms up, raises the calls until a round takes its time, and interleaves the rounds", async () => {
  const { contenders, log, now } = stage({ slow: () => 50, fast: () => 2 });
  const timings = await race(contenders, { rounds: 3, roundMs: 100, now });
  assertEquals(log, [
    ...["slow 1", "slow 1", "slow 1", "slow 2", "fast 1", "fast 1", "fast 1", "fast 10", "fast 50"],
    ...["slow 2", "fast 50", "slow 2", "fast 50", "slow 2", "fast 50"],
  ]);
  assertEquals(timings, [
    { name: "slow", bestMs: 50, medianMs: 50, calls: 2 },
    { name: "fast", bestMs: 2, medianMs: 2, calls: 50 },
  ]);
});

Deno.test("race() makes a round long enough that the one wait at its end is small", async () => {
  const { contenders, now } = stage({ short: () => 1 }, 12);
  const [timing] = await race(contenders, { rounds: 1, roundMs: 200, now });
  assertEquals(timing!.calls >= 188, true, `${timing!.calls} calls`);
  assertEquals(timing!.bestMs, (timing!.calls + 12) / timing!.calls);
});

Deno.test("race() keeps the fastest and the middle round, and leaves warm-up out", async () => {
  // The first three runs warm up; then come the rounds.
  const rounds = [11, 11, 10, 12, 8, 30];
  const { contenders, now } = stage({ only: (run) => rounds[run]! });
  assertEquals(await race(contenders, { rounds: 3, roundMs: 10, now }), [
    { name: "only", bestMs: 8, medianMs: 12, calls: 1 },
  ]);
});

Deno.test("race() passes on what a contender throws", async () => {
  const broken = { name: "broken", run: () => Promise.reject(new Error("The queue is gone")) };
  await assertRejects(() => race([broken]), Error, "The queue is gone");
});
