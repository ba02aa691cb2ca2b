/**
 * Times of several ways to do the same, taken side by side: rounds interleaved, so that other load hits all alike.
 *
 * @module
 */
import { callsTaking } from "../../src/evaluation/doctor/timing.ts";

/** A way to do the work. */
export interface Contender {
  /** Name in tables. */
  readonly name: string;
  /** Does the work `calls` times and waits once, for everything. */
  readonly run: (calls: number) => Promise<void>;
}

/** Times of a contender, in milliseconds a call. */
export interface Timing {
  /** Name of the contender. */
  readonly name: string;
  /** Fastest round. */
  readonly bestMs: number;
  /** Middle round. */
  readonly medianMs: number;
  /** Calls of a round. */
  readonly calls: number;
}

/** Options of {@linkcode race}. */
export interface RaceOptions {
  /** Timed rounds, at least 5 for numbers that are reported. Default: 5. */
  rounds?: number;
  /** Least time of a round of one contender, milliseconds. Default: 200, so that one wait of 12 ms is small. */
  roundMs?: number;
  /** Clock in milliseconds. Default: `performance.now`. */
  now?: () => number;
  /** Called before each round. */
  onRound?: (round: number, rounds: number) => void;
}

/** Most calls of a round: enough for one of 5 us, as a GPU takes for small work, to outlast the wait. */
const MOST_CALLS = 50_000;

/**
 * Smallest value.
 *
 * @throws {RangeError} If there is none.
 */
export function best(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the best of no values: run at least one round");
  return Math.min(...values);
}

/**
 * Middle value, or the mean of the two in the middle.
 *
 * @throws {RangeError} If there is none.
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values: run at least one round");
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * Times contenders: each warms up with two calls, its calls of a round are raised until a round takes as long as asked,
 * then each round runs all in turn.
 *
 * @returns One timing a contender, in their order.
 */
export async function race(contenders: readonly Contender[], options: RaceOptions = {}): Promise<Timing[]> {
  const { rounds = 5, roundMs = 200, now = () => performance.now(), onRound } = options;
  const time = async (contender: Contender, calls: number): Promise<number> => {
    const begin = now();
    await contender.run(calls);
    return now() - begin;
  };
  const calls: number[] = [];
  for (const contender of contenders) {
    for (let warm = 0; warm < 2; warm++) await time(contender, 1);
    calls.push((await callsTaking(roundMs, MOST_CALLS, (count) => time(contender, count))).calls);
  }
  const times: number[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    onRound?.(round, rounds);
    for (const [i, contender] of contenders.entries()) {
      times[i]!.push(await time(contender, calls[i]!) / calls[i]!);
    }
  }
  return contenders.map(({ name }, i) => ({
    name,
    bestMs: best(times[i]!),
    medianMs: median(times[i]!),
    calls: calls[i]!,
  }));
}
