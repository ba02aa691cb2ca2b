import { assertEquals, assertLess } from "@std/assert";
import { DecodingPace } from "../../src/model/decoding_pace.ts";

/** Steps of each run of a generation of `tokens`, when the n-th run of k steps arrives `runMs(k, n)` after the one before. */
function stepsOfRuns(runMs: (steps: number, run: number) => number, tokens = 300): number[] {
  let now = 1000;
  const pace = new DecodingPace(() => now);
  const runs = [1];
  for (let done = 0, run = 0; done < tokens; run++) {
    // As in generation, the next run begins before this one arrives.
    runs.push(pace.steps);
    now += runMs(runs[run]!, run);
    pace.arrived(runs[run]!);
    done += runs[run]!;
  }
  return runs;
}

/** Time of a run on a device that works while the host waits. */
const beside = (stepMs: number, waitMs: number) => (steps: number): number => Math.max(steps * stepMs, waitMs);

/** The same where runs arrive in pairs. */
const inPairs = (runMs: (steps: number) => number) => (steps: number, run: number): number =>
  run % 2 === 0 ? 0 : 2 * runMs(steps);

Deno.test("DecodingPace doubles the steps as long as the wait decides, and keeps the fewest that fill it", () => {
  assertEquals(stepsOfRuns(beside(3, 12)).slice(0, 18), [1, 1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 4, 4, 4]);
  assertEquals(stepsOfRuns(beside(3, 12)).at(-1), 4);
  assertEquals(stepsOfRuns(inPairs(beside(3, 12))).at(-1), 4);
});

Deno.test("DecodingPace doubles the steps where work and wait add up", () => {
  assertEquals(stepsOfRuns((steps) => 3 * steps + 12).at(-1), 16);
});

Deno.test("DecodingPace goes to 16 steps and no further", () => {
  assertEquals(Math.max(...stepsOfRuns(beside(0.1, 12))), 16);
});

Deno.test("DecodingPace stays at one step where a step takes longer than the wait", () => {
  for (const stepMs of [17, 80, 2000]) {
    for (const runMs of [beside(stepMs, 12), inPairs(beside(stepMs, 12)), (steps: number) => stepMs * steps + 12]) {
      assertEquals(new Set(stepsOfRuns(runMs)), new Set([1]), `step ${stepMs} ms`);
    }
  }
});

Deno.test("DecodingPace goes back to one step where two take twice as long", () => {
  const runs = stepsOfRuns(beside(11, 10));
  assertEquals([runs.at(-1), Math.max(...runs)], [1, 2]);
  assertLess(runs.filter((steps) => steps === 2).length, 8);
});

Deno.test("DecodingPace forgives a slow first step and one slow run of a trial", () => {
  const run = beside(3, 12);
  assertEquals(stepsOfRuns((steps, n) => n === 1 ? 500 : run(steps)).at(-1), 4);
  for (let slow = 1; slow < 10; slow++) {
    assertEquals(stepsOfRuns((steps, n) => n === slow ? 60 : run(steps)).at(-1), 4, `run ${slow}`);
  }
});

Deno.test("DecodingPace takes no time from a run that was cut at the end", () => {
  let now = 0;
  const pace = new DecodingPace(() => now);
  const arrive = (steps: number, afterMs: number): number => {
    now += afterMs;
    pace.arrived(steps);
    return pace.steps;
  };
  assertEquals([1, 1, 1, 1, 2].map((steps) => arrive(steps, 12)), [1, 1, 2, 2, 2]);
  assertEquals([arrive(1, 1), arrive(2, 12), arrive(2, 12)], [2, 2, 4]);
});
