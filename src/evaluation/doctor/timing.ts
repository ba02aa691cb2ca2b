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
  await batchTime(gpu, record, 1);
  let calls = 1;
  let ms = await batchTime(gpu, record, calls);
  while (ms < batchMs && calls < 1 << 20) {
    calls = Math.ceil(calls * Math.min(8, Math.max(2, batchMs / ms)));
    ms = await batchTime(gpu, record, calls);
  }
  let best = ms;
  for (let round = 1; round < rounds; round++) best = Math.min(best, await batchTime(gpu, record, calls));
  return best / calls;
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
