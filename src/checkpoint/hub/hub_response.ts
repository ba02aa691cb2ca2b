/**
 * One answer of the hub, read under a watch that ends it when no byte comes for too long.
 *
 * @module
 */
import { HubError } from "./hub_error.ts";
import { PassingFault } from "./patience.ts";

/** Ends a request when it is not fed in time, or when an outer signal says so. */
export class Watch implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #stallMs: number;
  readonly #stop = (): void => this.#controller.abort(this.#outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts the clock.
   *
   * @param stallMs Longest silence in milliseconds.
   * @param outer Signal of the caller.
   */
  constructor(stallMs: number, outer?: AbortSignal) {
    this.#stallMs = stallMs;
    this.#outer = outer;
    if (outer?.aborted) this.#stop();
    outer?.addEventListener("abort", this.#stop);
    this.feed();
  }

  /** Ends with the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the clock anew. */
  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#controller.abort(new PassingFault(`no byte came for ${this.#stallMs / 1000} s`)),
      this.#stallMs,
    );
  }

  /**
   * Says why a request broke off.
   *
   * @param cause What it raised.
   * @returns The caller's own reason if it stopped, a {@linkcode PassingFault} otherwise.
   */
  explain(cause: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (this.signal.aborted) return this.signal.reason;
    if (cause instanceof PassingFault || cause instanceof HubError) return cause;
    return new PassingFault("the connection failed or broke off");
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}

/** An answer with status 2xx. */
export class HubResponse implements Disposable {
  readonly #response: Response;
  readonly #watch: Watch;

  /** Takes over the watch. */
  constructor(response: Response, watch: Watch) {
    this.#response = response;
    this.#watch = watch;
  }

  /** HTTP status. */
  get status(): number {
    return this.#response.status;
  }

  /** Headers of the answer. */
  get headers(): Headers {
    return this.#response.headers;
  }

  /**
   * Reads the body.
   *
   * @returns Its bytes in pieces as they come.
   * @throws {PassingFault} If it breaks off or stalls.
   */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const reader = this.#response.body?.getReader();
    if (!reader) return;
    try {
      while (true) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.#watch.explain(cause);
        });
        if (done) return;
        this.#watch.feed();
        yield value as Uint8Array<ArrayBuffer>;
      }
    } finally {
      reader.releaseLock();
    }
  }

  /**
   * Reads the whole body.
   *
   * @param maxBytes Size that it may not pass.
   * @returns The bytes.
   * @throws {PassingFault} If it breaks off or stalls.
   * @throws {HubError} If it is larger.
   */
  async bytes(maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for await (const part of this.chunks()) {
      length += part.length;
      if (length > maxBytes) {
        throw new HubError(
          `Cannot read the list of files: the answer is larger than ${maxBytes} bytes; check HF_ENDPOINT`,
        );
      }
      parts.push(part);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  /** Lets go of the connection. */
  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    // An answer that broke off cannot be cancelled any more, and need not be.
    this.#response.body?.cancel().catch(() => {});
  }
}
