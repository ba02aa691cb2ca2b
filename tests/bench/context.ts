/**
 * What every part of the bench is given.
 *
 * @module
 */
import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Contender } from "./race.ts";

/** Device and settings of a run. */
export interface BenchContext {
  /** Our device. */
  readonly gpu: Gpu;
  /** Folder of the model for parts that need one. */
  readonly modelDir: string;
  /** SmolLM2-135M-Instruct as a GGUF file; null if there is none. */
  readonly smollm2: string | null;
  /** Seed of operands and prompts. */
  readonly seed: number;
  /** Timed rounds. */
  readonly rounds: number;
  /** Says what is measured next; throws if the run is to stop. */
  readonly onStage: (stage: string) => void;
  /** Says what is left out, and why. */
  readonly onSkip: (reason: string) => void;
}

/** Calls recorded before a submit: fewer than the parameter blocks of one submit. */
const CALLS_PER_SUBMIT = 64;

/** A contender that records work on our stream; the wait at the end is the only one. */
export function recorded(gpu: Gpu, name: string, record: () => void): Contender {
  return {
    name,
    run: async (calls) => {
      for (let call = 1; call <= calls; call++) {
        record();
        if (call % CALLS_PER_SUBMIT === 0) gpu.stream.submit();
      }
      gpu.stream.submit();
      await gpu.device.queue.onSubmittedWorkDone();
    },
  };
}

/** A contender that waits for each call, as what it does reads back. */
export function awaited(name: string, once: () => Promise<unknown>): Contender {
  return {
    name,
    run: async (calls) => {
      for (let call = 0; call < calls; call++) await once();
    },
  };
}
