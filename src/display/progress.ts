/**
 * Progress of long work: a bar in a terminal, a bar in a notebook, one line a stage elsewhere.
 *
 * @module
 */
import { formatDuration } from "./duration.ts";
import { notebookDisplay } from "./notebook_display.ts";
import { barSink, lineSink, notebookSink, type ProgressSink, type ProgressState } from "./progress_sinks.ts";

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  /** Where it is shown; by default a notebook, a terminal on standard error, or single lines. */
  sink?: ProgressSink;
  /** Clock in milliseconds, default `performance.now`. */
  now?: () => number;
}

/** Progress of one stage; disposing it without {@linkcode Progress.finish} leaves the bar where it stopped. */
export class Progress implements Disposable {
  readonly #label: string;
  readonly #total: number;
  readonly #sink: ProgressSink;
  readonly #now: () => number;
  readonly #start: number;
  #done = 0;
  #note = "";
  #open = true;

  /**
   * Starts a stage and shows it.
   *
   * @param label What is done, for instance `Second moments`.
   * @param total Number of steps, at least 1.
   * @param options Where to show it.
   * @throws {RangeError} If `total` is not a positive number.
   */
  constructor(label: string, total: number, options: ProgressOptions = {}) {
    if (!(total > 0)) {
      throw new RangeError(`Cannot show progress of "${label}": found ${total} steps, wanted at least 1`);
    }
    this.#label = label;
    this.#total = total;
    this.#sink = options.sink ?? defaultSink();
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    this.#sink.start(this.state());
  }

  /**
   * Reads where the stage stands.
   *
   * @returns Steps, note and times; the time left is known after the first step.
   */
  state(): ProgressState {
    const elapsedMs = this.#now() - this.#start;
    const [done, total] = [this.#done, this.#total];
    const state = { label: this.#label, total, done, note: this.#note, elapsedMs };
    return done > 0 ? { ...state, leftMs: (elapsedMs * (total - done)) / done } : state;
  }

  /**
   * Says how far the work is.
   *
   * @param done Steps done, cut to the total.
   * @param note What is going on, for instance `layer 3`.
   */
  update(done: number, note = ""): void {
    if (!this.#open) return;
    this.#done = Math.min(done, this.#total);
    this.#note = note;
    this.#sink.update(this.state());
  }

  /**
   * Says that more steps are done.
   *
   * @param steps Steps since the last call.
   * @param note What is going on.
   */
  advance(steps = 1, note = ""): void {
    this.update(this.#done + steps, note);
  }

  /**
   * Ends the stage; a line stays in place of the bar.
   *
   * @param summary What came out; by default the number of steps and the time.
   */
  finish(summary?: string): void {
    if (!this.#open) return;
    this.#open = false;
    const { elapsedMs } = this.state();
    const text = summary ?? `${this.#done} of ${this.#total} in ${formatDuration(elapsedMs)}`;
    this.#sink.finish(`${this.#label}: ${text}`);
  }

  /** Stops the bar. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sink.stop();
  }
}

function defaultSink(): ProgressSink {
  const notebook = notebookDisplay();
  if (notebook) return notebookSink(notebook);
  if (Deno.stderr.isTerminal()) return barSink();
  return lineSink((line) => console.error(line));
}
