/**
 * Wall-clock times of GPU work, long enough that the wait for the result is small beside it.
 *
 * @module
 */
import type { Gpu } from "../../gpu/gpu.ts";

/** Options of {@linkcode bestMs}. */
export interface TimingOptions {
  /** Timed batches; the fastest counts. Default: 4. */
  rounds?: number;
  /** Least time of a batch in milliseconds. Default: 150. */
  batchMs?: number;
}

/** Calls recorded before a submit: fewer than the parameter blocks of one submit. */
const CALLS_PER_SUBMIT = 256;

/**
 * Times a piece of GPU work: warms up, finds out how many calls make a batch, and takes the fastest batch.
 *
 * Nothing is subtracted: a batch holds one wait, about 12 ms.
 *
 * @param record Records the work once on the stream, without reading anything back.
 * @returns Milliseconds a call.
 */
export async function bestMs(gpu: Gpu, record: () => void, options: TimingOptions = {}): Promise<number> {
  const { rounds = 4, batchMs = 150 } = options;
  const time = (calls: number): Promise<number> => batchTime(gpu, record, calls);
  await time(1);
  const { calls, ms } = await callsTaking(batchMs, 1 << 20, time);
  let best = ms;
  for (let round = 1; round < rounds; round++) best = Math.min(best, await time(calls));
  return best / calls;
}

/** Calls grow by at most this factor from one try to the next, as few calls are mostly the wait. */
const GROWTH = 10;

/**
 * Raises a number of calls until they take long enough. The time of a few calls says little of the time of one: the wait
 * at the end can be longer than they are.
 *
 * @param leastMs Time that they should take, milliseconds.
 * @param most Calls at which it ends in any case.
 * @param time Runs so many calls and gives their milliseconds in all.
 * @returns The calls, and the time that they took.
 */
export async function callsTaking(
  leastMs: number,
  most: number,
  time: (calls: number) => Promise<number>,
): Promise<{ calls: number; ms: number }> {
  let calls = 1;
  let ms = await time(calls);
  while (ms < leastMs && calls < most) {
    calls = Math.min(most, Math.ceil(calls * Math.min(GROWTH, Math.max(2, leastMs / ms))));
    ms = await time(calls);
  }
  return { calls, ms };
}

/**
 * Times `calls` calls, their submits and one wait for the last of them.
 *
 * @returns Milliseconds in all.
 */
export async function batchTime(gpu: Gpu, record: () => void, calls: number): Promise<number> {
  const begin = performance.now();
  for (let call = 1; call <= calls; call++) {
    record();
    if (call % CALLS_PER_SUBMIT === 0) gpu.stream.submit();
  }
  gpu.stream.submit();
  await gpu.device.queue.onSubmittedWorkDone();
  return performance.now() - begin;
}
