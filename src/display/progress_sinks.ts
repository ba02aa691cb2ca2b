/**
 * Where progress is shown.
 *
 * @module
 */
import process from "node:process";
import cliProgress from "cli-progress";
import { formatDuration } from "./duration.ts";
import { columns, fit } from "./glyph_width.ts";
import { type NotebookDisplay } from "./notebook_display.ts";

/** Where a stage stands. */
export interface ProgressState {
  /** What is done. */
  label: string;
  /** Steps in all. */
  total: number;
  /** Steps done. */
  done: number;
  /** What is going on, or an empty text. */
  note: string;
  /** Time since the start, in milliseconds. */
  elapsedMs: number;
  /** Estimated time to the end in milliseconds, once a step is done. */
  leftMs?: number;
}

/** A place that shows one stage. */
export interface ProgressSink {
  /** Shows the stage at its start. */
  start(state: ProgressState): void;
  /** Shows a new state, or leaves it out when the last one is too recent. */
  update(state: ProgressState): void;
  /** Replaces the bar by a line. */
  finish(line: string): void;
  /** Stops without a line, where the work was broken off. */
  stop(): void;
}

/** Least time between two updates that are shown in a notebook, in milliseconds. */
const NOTEBOOK_INTERVAL_MS = 200;

/** Width of the terminal's bar in columns. */
const BAR = 24;

/**
 * Writes a state in words.
 *
 * @param state Where the stage stands.
 * @returns For instance `12/48 layer 3, 2.1 s left`.
 */
export function describeProgress(state: ProgressState): string {
  const { done, total, note, leftMs } = state;
  const steps = `${done}/${total}${note === "" ? "" : ` ${note}`}`;
  return leftMs === undefined || done >= total ? steps : `${steps}, ${formatDuration(leftMs)} left`;
}

/**
 * Makes a bar on a terminal.
 *
 * @param stream Where it is drawn, default standard error.
 * @returns A sink.
 */
export function barSink(stream: NodeJS.WritableStream = process.stderr): ProgressSink {
  const bar = new cliProgress.SingleBar({
    format: (_options: unknown, _values: unknown, { state }: { state: ProgressState }) => barLine(state),
    // The bar is cleared and leaves its place to the summary.
    clearOnComplete: true,
    // What hides the cursor, stops wrapping or catches signals must undo it when the program is broken off; this does neither.
    hideCursor: null,
    linewrap: true,
    gracefulExit: false,
    stream,
  });
  return {
    start: (state) => bar.start(state.total, 0, { state }),
    update: (state) => bar.update(state.done, { state }),
    finish: (line) => {
      bar.stop();
      stream.write(`${line}\n`);
    },
    stop: () => bar.stop(),
  };
}

/**
 * Makes a bar under one display of a notebook; the summary takes its place.
 *
 * @param notebook The kernel's display.
 * @param now Clock in milliseconds.
 * @returns A sink.
 */
export function notebookSink(notebook: NotebookDisplay, now: () => number = () => performance.now()): ProgressSink {
  const display_id = crypto.randomUUID();
  let shownAt = -Infinity;
  let queue: Promise<void> = Promise.resolve();
  const send = (bundle: Record<string, string>, update: boolean): void => {
    // A kernel that cannot show a bar must not stop the work.
    queue = queue.then(() => notebook.display(bundle, { raw: true, display_id, update })).catch(() => {});
  };
  const bundle = (state: ProgressState): Record<string, string> => {
    const text = `${state.label}: ${describeProgress(state)}`;
    const name = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    return {
      "text/html": `<label><progress value="${state.done}" max="${state.total}"></progress> ${name}</label>`,
      "text/plain": text,
    };
  };
  return {
    start: (state) => send(bundle(state), false),
    update: (state) => {
      if (now() - shownAt < NOTEBOOK_INTERVAL_MS) return;
      shownAt = now();
      send(bundle(state), true);
    },
    finish: (line) => send({ "text/plain": line }, true),
    stop: () => {},
  };
}

/**
 * Writes one line a stage, for logs.
 *
 * @param write Takes a line.
 * @returns A sink.
 */
export function lineSink(write: (line: string) => void): ProgressSink {
  return { start: () => {}, update: () => {}, finish: write, stop: () => {} };
}

/** One line of at most 79 columns, so that it never wraps. */
function barLine(state: ProgressState): string {
  const full = Math.round((BAR * state.done) / state.total);
  const bar = "\u2588".repeat(full) + "\u2591".repeat(BAR - full);
  const label = fit(state.label, 24);
  return `${label} ${bar} ${fit(describeProgress(state), 79 - BAR - 2 - columns(label))}`;
}
