/**
 * What it costs to start work and to wait for it, whatever the work is.
 *
 * @module
 */
import { probeCopy } from "../../../kernels/probe_copy.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { batchTime } from "./timing.ts";

/** Fixed costs of the device and its runtime. */
export interface Costs {
  /** One more kernel of 64 elements in a submit, microseconds of wall time. */
  dispatchUs: number;
  /** One more submit, microseconds. */
  submitUs: number;
  /** Reading 4 bytes back: submit, wait and map, milliseconds. */
  readBackMs: number;
}

const ROUNDS = 5;

async function fastest(measure: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await measure());
  return best;
}

/** Measures the costs; each is a slope between two counts or the fastest of a few, so that the wait drops out. */
export async function measureCosts(gpu: Gpu): Promise<Costs> {
  const { stream } = gpu;
  using x = gpu.zeros([64], "probe source");
  using out = gpu.tensor([64], "probe target");
  const launch = (): void => void probeCopy(stream, { x }, { out });
  await batchTime(gpu, launch, 8);
  const few = await fastest(() => batchTime(gpu, launch, 400));
  const many = await fastest(() => batchTime(gpu, launch, 1600));
  const dispatchUs = Math.max(0, many - few) * 1000 / 1200;

  const launchAlone = (): void => {
    launch();
    stream.submit();
  };
  const fewSubmits = await fastest(() => batchTime(gpu, launchAlone, 50));
  const manySubmits = await fastest(() => batchTime(gpu, launchAlone, 250));
  const submitUs = Math.max(0, (manySubmits - fewSubmits) * 1000 / 200 - dispatchUs);

  const readBackMs = await fastest(async () => {
    const begin = performance.now();
    await stream.read(x);
    return performance.now() - begin;
  });
  return { dispatchUs, submitUs, readBackMs };
}
