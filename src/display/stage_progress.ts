import { formatDuration } from "./duration.ts";
import { Progress, type ProgressOptions } from "./progress.ts";

/** Where work of several stages stands. */
export interface StageState {
  /** Name of the stage; what follows a comma is a note that may change from step to step. */
  stage: string;
  /** Steps done. */
  done: number;
  /** Steps in all. */
  total: number;
}

/** Progress of work whose stages follow each other: a new bar whenever the name of the stage changes. */
export class StageProgress implements Disposable {
  readonly #options: ProgressOptions;
  #stage: string | undefined;
  #bar: Progress | undefined;

  /**
   * Shows nothing yet.
   *
   * @param options Where bars are shown.
   */
  constructor(options: ProgressOptions = {}) {
    this.#options = options;
  }

  /**
   * Shows a state; a new stage ends the one before.
   *
   * @param state Stage and steps.
   */
  update({ stage, done, total }: StageState): void {
    const [name, ...notes] = stage.split(",");
    if (name !== this.#stage) {
      this.finish();
      this.#stage = name;
      this.#bar = new Progress(name.charAt(0).toUpperCase() + name.slice(1), Math.max(1, total), this.#options);
    }
    this.#bar?.update(done, notes.join(",").trim());
  }

  /** Ends the last stage; a line with its last note, or else its time, stays. */
  finish(): void {
    if (this.#bar) {
      const { elapsedMs, note } = this.#bar.state();
      this.#bar.finish(note === "" ? formatDuration(elapsedMs) : note);
    }
    this.#bar = undefined;
    this.#stage = undefined;
  }

  /** Stops the bar where it is. */
  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
  }
}
