/**
 * How long a download goes on in spite of faults that may pass: broken connections, a busy server.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { HubError } from "./hub_error.ts";

/** A fault after which the same request may succeed. */
export class PassingFault extends Error {
  /** Name for messages of the runtime. */
  override readonly name = "PassingFault";
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** Time in milliseconds that the server asked to wait. */
  readonly retryAfterMs: number | undefined;

  /**
   * Makes the fault.
   *
   * @param what What happened, to follow `Cannot fetch X: `.
   * @param status HTTP status.
   * @param retryAfterMs Wait that the server asked for.
   */
  constructor(what: string, status?: number, retryAfterMs?: number) {
    super(what);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Bounds of waiting. */
export interface PatienceOptions {
  /** Failed tries in a row after which it ends. Default: 5. */
  tries?: number;
  /** First wait in milliseconds; it doubles with every failure. Default: 1000. */
  firstWaitMs?: number;
  /** Longest wait that a server may ask for, in milliseconds. Default: 60000. */
  longestWaitMs?: number;
  /** Ends a wait. */
  signal?: AbortSignal | undefined;
  /** Told of every wait, with what happened and the time in milliseconds. */
  onWait?: ((fault: string, waitMs: number) => void) | undefined;
}

/** Counts failures in a row and waits between them. */
export class Patience {
  readonly #options: PatienceOptions;
  #failures = 0;

  /** Starts without a failure. */
  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Forgets the failures so far, as something was gained. */
  renew(): void {
    this.#failures = 0;
  }

  /**
   * Waits after a failure.
   *
   * @param what What was tried, for the message.
   * @param fault The failure; anything but a {@linkcode PassingFault} is raised again.
   * @throws {HubError} If that was the last try, or the server asks for too long a wait.
   */
  async wait(what: string, fault: unknown): Promise<void> {
    if (!(fault instanceof PassingFault)) throw fault;
    const { tries = 5, firstWaitMs = 1000, longestWaitMs = 60_000, signal, onWait } = this.#options;
    const { message, status, retryAfterMs } = fault;
    this.#failures += 1;
    if (retryAfterMs !== undefined && retryAfterMs > longestWaitMs) {
      throw new HubError(
        `Cannot fetch ${what}: ${message} and asks to wait ${Math.ceil(retryAfterMs / 1000)} s; ` +
          `run the command again after that time`,
        status,
      );
    }
    if (this.#failures >= tries) {
      throw new HubError(
        `Cannot fetch ${what}: ${message}, ${tries} times in a row; check the network and HF_ENDPOINT, ` +
          `then run the command again: what has arrived is kept`,
        status,
      );
    }
    const waitMs = retryAfterMs ?? firstWaitMs * 2 ** (this.#failures - 1);
    onWait?.(message, waitMs);
    await sleep(waitMs, undefined, signal ? { signal } : {});
  }
}

/**
 * Reads the header `Retry-After`.
 *
 * @param text Seconds, or a date.
 * @param now Present time in milliseconds.
 * @returns The wait in milliseconds; undefined if the header says nothing.
 */
export function parseRetryAfter(text: string | null, now: number = Date.now()): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
