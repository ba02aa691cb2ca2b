import { topK } from "../../kernels/top_k.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { KeyValues } from "./block.ts";
import { residual, unembed } from "./forward.ts";
import { Temps } from "./hooks.ts";
import type { Model } from "./model.ts";
import { makeRows } from "./rows.ts";

/** The likeliest tokens of a step, most likely first. */
export interface LikeliestTokens {
  /** Their logits. */
  readonly logits: Float32Array;
  /** Their ids. */
  readonly ids: Uint32Array;
}

/** A step under way. Dispose of it once its tokens have been read and the steps that take them have begun. */
export interface DecoderStep extends Disposable {
  /** What it found, once the device is that far. */
  readonly found: Promise<LikeliestTokens>;
  /** Ids of the likeliest tokens on the device, u32 [1, count]. */
  readonly ids: Tensor;
}

/** Keys and values of one sequence, and the steps that fill them. */
export class Decoder implements Disposable {
  readonly #model: Model;
  readonly #room: number;
  readonly #caches: readonly (KeyValues | undefined)[];

  /** Makes room for `room` positions. */
  constructor(model: Model, room: number) {
    this.#model = model;
    this.#room = room;
    this.#caches = model.makeCaches(1, room);
  }

  /**
   * Runs tokens, with one submit and one wait.
   *
   * @param tokens New tokens; those before them are in the cache.
   * @param start Position of the first.
   * @param count Tokens wanted, at most 128.
   * @returns The likeliest tokens after the last one.
   */
  async step(tokens: readonly number[], start: number, count: number): Promise<LikeliestTokens> {
    using begun = this.begin(tokens, start, count);
    return await begun.found;
  }

  /**
   * Begins a step with one submit and does not wait for it.
   *
   * @param tokens New tokens, or a step that wants one, whose token is taken on the device before the host has read it.
   * @param start Position of the first.
   * @param count Tokens wanted, at most 128.
   */
  begin(tokens: readonly number[] | DecoderStep, start: number, count: number): DecoderStep {
    const model = this.#model;
    const { stream } = model.gpu;
    const onDevice = "ids" in tokens;
    const queries = onDevice ? 1 : tokens.length;
    using temps = new Temps();
    using rows = makeRows(model.gpu, [start], [start + queries], queries, this.#room);
    const input = onDevice ? tokens.ids.view([1]) : temps.add(model.uploadIds([tokens], queries));
    using at = model.uploadIndex([queries - 1], "last row");
    const pass = model.pass(rows, { caches: this.#caches });
    const last = temps.add(residual(pass, input));
    const logits = temps.add(unembed(pass, last, at));
    const { values, indices } = topK(stream, { x: logits }, { k: count });
    const found = stream.read(values, indices)
      .then(([logits, ids]) => ({ logits: logits as Float32Array, ids: ids as Uint32Array }));
    // It may fail before anybody waits for it, which must not end the process; who waits is told.
    found.catch(() => {});
    return {
      found,
      ids: indices,
      [Symbol.dispose]: () => {
        values.dispose();
        indices.dispose();
      },
    };
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const cache of this.#caches) {
      cache?.k.dispose();
      cache?.v.dispose();
    }
  }
}
