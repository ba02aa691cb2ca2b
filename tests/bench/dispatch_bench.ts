/**
 * What it costs to start work, whatever the work is.
 *
 * @module
 */
import { measureCosts } from "../../src/evaluation/doctor/costs.ts";
import type { Comparison } from "./comparison.ts";
import type { BenchContext } from "./context.ts";

/** Most microseconds that one more dispatch may take. */
const DISPATCH_US = 30;

/** Measures one more dispatch of 64 elements in a submit. */
export async function dispatchBench(context: BenchContext): Promise<Comparison[]> {
  context.onStage("one more dispatch");
  const { dispatchUs, submitUs, readBackMs } = await measureCosts(context.gpu);
  return [{
    bench: "dispatch",
    what: "one more dispatch of 64 elements, recorded and run",
    ours: `${dispatchUs.toPrecision(3)} us`,
    against: `one more submit: ${submitUs.toPrecision(3)} us; a read-back: ${readBackMs.toPrecision(3)} ms`,
    value: dispatchUs,
    unit: "us",
    goal: { side: "at most", value: DISPATCH_US },
  }];
}
