import { topK } from "../../kernels/top_k.ts";
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
    const model = this.#model;
    const { stream } = model.gpu;
    using temps = new Temps();
    using rows = makeRows(model.gpu, [start], [start + tokens.length], tokens.length, this.#room);
    using input = model.uploadIds([tokens], tokens.length);
    using at = model.uploadIndex([tokens.length - 1], "last row");
    const pass = model.pass(rows, { caches: this.#caches });
    const last = temps.add(residual(pass, input));
    const logits = temps.add(unembed(pass, last, at));
    const best = topK(stream, { x: logits }, { k: count });
    temps.add(best.values);
    temps.add(best.indices);
    const [values, ids] = await stream.read(best.values, best.indices);
    return { logits: values as Float32Array, ids: ids as Uint32Array };
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const cache of this.#caches) {
      cache?.k.dispose();
      cache?.v.dispose();
    }
  }
}
