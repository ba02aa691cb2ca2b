/** How many steps a decoder runs for one read-back. */
export interface Pace {
  /** Steps of the next run, at least 1. */
  readonly steps: number;
  /** Called when the tokens of a run have arrived; `steps` is their number. */
  arrived(steps: number): void;
}

/** Most steps of a run: what is decoded past the end of an answer is thrown away, and tokens come in bursts. */
const MOST_STEPS = 16;

/**
 * Longest time of a step that the wait may decide, in milliseconds: Deno sleeps 10 ms in every read-back, whatever the
 * device has done by then. A step that takes longer is bound by its work.
 */
const LONGEST_WAIT_MS = 16;

/** Share of the time of a token that doubling must leave at most, to be worth the burst. */
const WORTHWHILE = 0.9;

/** Runs that are timed together: of two in flight, one may arrive right behind the other and the next one late. */
const TIMED_RUNS = 2;

/** Times in a row that doubling must fail to be taken back; once may have been other work on the machine. */
const FAILURES = 2;

/**
 * Finds the steps for one read-back by the time that runs take. Where a step is over within the wait for it, runs have
 * twice as many steps as long as that shortens the time of a token; when it no longer does, half as many, for good. A
 * device whose step takes longer than the wait stays at one step.
 */
export class DecodingPace implements Pace {
  readonly #now: () => number;
  #steps = 1;
  /** Time of a token with half the steps, in milliseconds. */
  #halfMs = Infinity;
  #failures = 0;
  #settled = false;
  /** When the run before the first timed one arrived. */
  #since: number | null = null;
  #timed = 0;

  /** Starts at one step. `now` is the time in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Steps of the next run. */
  get steps(): number {
    return this.#steps;
  }

  /** Times the run; one that began before the last change of the steps, or was cut at the end, times nothing. */
  arrived(steps: number): void {
    if (this.#settled) return;
    const now = this.#now();
    const sinceMs = this.#since === null || steps !== this.#steps ? null : now - this.#since;
    if (sinceMs !== null && ++this.#timed < TIMED_RUNS) return;
    this.#since = now;
    this.#timed = 0;
    if (sinceMs !== null) this.#judge(sinceMs / TIMED_RUNS);
  }

  /** Chooses the steps of the next runs, when those of the last ones took `runMs` each. */
  #judge(runMs: number): void {
    const tokenMs = runMs / this.#steps;
    const worthwhile = this.#steps === 1 ? tokenMs <= LONGEST_WAIT_MS : tokenMs <= WORTHWHILE * this.#halfMs;
    if (worthwhile) {
      this.#failures = 0;
      this.#halfMs = tokenMs;
      if (this.#steps < MOST_STEPS) this.#steps *= 2;
      else this.#settled = true;
    } else if (this.#steps > 1 && ++this.#failures === FAILURES) {
      this.#steps /= 2;
      this.#settled = true;
    }
  }
}
