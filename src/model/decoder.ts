import { topK, type TopKOutput } from "../../kernels/top_k.ts";
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

/** Steps under way, each of which takes the most likely token of the one before. */
export interface DecoderRun extends Disposable {
  /** The most likely token after each step, once the device is that far. */
  readonly found: Promise<Uint32Array>;
  /** The last of them on the device, u32 [1], for the run behind this one. */
  readonly last: Tensor;
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
    using input = this.#model.uploadIds([tokens], tokens.length);
    const best = this.#record(input, start, count);
    using values = best.values;
    using indices = best.indices;
    const [logits, ids] = await this.#model.gpu.stream.read(values, indices);
    return { logits: logits as Float32Array, ids: ids as Uint32Array };
  }

  /**
   * Begins steps, with one submit each and one read-back for all, and does not wait for them: each takes the token of the
   * one before on the device, before the host has read it.
   *
   * @param from Tokens of the first step, or the run whose last token it takes.
   * @param start Position of the first of them.
   * @param steps Number of steps; their positions must be within the room.
   */
  run(from: readonly number[] | DecoderRun, start: number, steps: number): DecoderRun {
    const model = this.#model;
    const { stream } = model.gpu;
    const tokens: Tensor[] = [];
    let running = false;
    using temps = new Temps((tensor) => running && tensor === tokens.at(-1));
    let input = "last" in from ? from.last : temps.add(model.uploadIds([from], from.length));
    let position = start;
    for (let step = 0; step < steps; step++) {
      // Each is submitted by itself, so that the device works while the next is recorded.
      if (step > 0) stream.submit();
      const { values, indices } = this.#record(input, position, 1);
      temps.add(values);
      tokens.push(temps.add(indices));
      position += input.length;
      input = indices.view([1]);
    }
    const found = stream.read(...tokens).then((arrays) => Uint32Array.from(arrays, ([token]) => token!));
    // It may fail before anybody waits for it, which must not end the process; who waits is told.
    found.catch(() => {});
    running = true;
    const owner = tokens.at(-1)!;
    return { found, last: input, [Symbol.dispose]: () => owner.dispose() };
  }

  /** Records a pass over `input`, u32 [queries], and the search for the `count` likeliest tokens after it: [1, count]. */
  #record(input: Tensor, start: number, count: number): TopKOutput {
    const model = this.#model;
    const queries = input.length;
    using temps = new Temps();
    using rows = makeRows(model.gpu, [start], [start + queries], queries, this.#room);
    using at = model.uploadIndex([queries - 1], "last row");
    const pass = model.pass(rows, { caches: this.#caches });
    const last = temps.add(residual(pass, input));
    const logits = temps.add(unembed(pass, last, at));
    return topK(model.gpu.stream, { x: logits }, { k: count });
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    for (const cache of this.#caches) {
      cache?.k.dispose();
      cache?.v.dispose();
    }
  }
}
