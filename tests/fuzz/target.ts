/**
 * What is fuzzed, and what may come out: a result or an error of our own, soon, without large allocations.
 *
 * @module
 */
import fc from "fast-check";
import { FileError } from "../../src/checkpoint/file_error.ts";

/** One reader under damaged input. */
export interface FuzzTarget {
  /** Name, as `--only` takes it. */
  readonly name: string;
  /** Runs `reader` over `runs` inputs. */
  readonly run: (options: FuzzOptions) => Promise<FuzzReport>;
}

/** How much and from which seed. */
export interface FuzzOptions {
  /** Inputs. */
  readonly runs: number;
  /** Seed of the inputs. */
  readonly seed: number;
}

/** What a run of a target found; faults are thrown. */
export interface FuzzReport {
  /** Inputs that were read. */
  readonly accepted: number;
  /** Inputs that were refused with an error of our own. */
  readonly refused: number;
  /** Longest time of one input, milliseconds. */
  readonly longestMs: number;
}

/** One input may take so long; what takes longer would be a hang to a user. */
const LONGEST_MS = 5000;

/** Memory taken for one input: some copies of it and a fixed part, for the code that is compiled on the way. */
const MEMORY = { factor: 64, fixed: 1 << 23 };

/** Bytes of typed arrays and of the heap, what is not yet collected among them. */
function memoryInUse(): number {
  const { external, heapUsed } = Deno.memoryUsage();
  return external + heapUsed;
}

/** Whether an error is one that a user is meant to read. */
export function isOurs(error: unknown, wanted: RegExp): boolean {
  if (error instanceof FileError) return true;
  return (error instanceof TypeError || error instanceof RangeError) && wanted.test(error.message);
}

/**
 * Makes a target from inputs and a reader.
 *
 * @param inputs Damaged inputs.
 * @param read Reads one of them.
 * @param options `ours` tells the reader's own TypeError and RangeError by their messages (FileError is always ours);
 * `size` tells how large an input is, where memory is watched.
 */
export function target<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  read: (input: T) => unknown,
  options: { ours?: RegExp; size?: (input: T) => number } = {},
): FuzzTarget {
  const { ours = /^$/, size } = options;
  return {
    name,
    run: async ({ runs, seed }) => {
      const report = { accepted: 0, refused: 0, longestMs: 0 };
      await fc.assert(
        fc.asyncProperty(inputs, async (input) => {
          const begin = performance.now();
          const before = memoryInUse();
          try {
            await read(input);
            report.accepted++;
          } catch (error) {
            if (!isOurs(error, ours)) throw error;
            report.refused++;
          }
          const made = memoryInUse() - before;
          const ms = performance.now() - begin;
          report.longestMs = Math.max(report.longestMs, ms);
          if (ms > LONGEST_MS) throw new Error(`One input took ${Math.round(ms)} ms`);
          if (size && made > MEMORY.factor * size(input) + MEMORY.fixed) {
            throw new Error(`An input of ${size(input)} bytes took ${made} bytes of memory`);
          }
        }),
        { numRuns: runs, seed, includeErrorInReport: true },
      );
      return report;
    },
  };
}
