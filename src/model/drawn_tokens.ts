/**
 * Tokens of a continuation, one after the other, as a decoder finds them.
 *
 * @module
 */
import type { Decoder, DecoderRun } from "./decoder.ts";
import type { Pace } from "./decoding_pace.ts";
import { sampleIndex, type SamplingOptions } from "./sampling.ts";

/** Positions of a continuation. */
export interface Span {
  /** Position of its first token: the length of the prompt. */
  first: number;
  /** End of the positions that are run ahead of the reader; those behind are run when they are asked for. */
  ahead: number;
  /** End of the positions that the decoder has room for. */
  end: number;
}

/**
 * The most likely token each time. A run of steps begins before the token that it starts from has been read, so that the
 * device works while the host waits, reads and records; a reader who stops early leaves what is left of a run and the run
 * behind it, which nobody needed.
 *
 * @param pace Steps of a run.
 */
export async function* likeliestTokens(
  decoder: Decoder,
  prompt: readonly number[],
  { first, ahead, end }: Span,
  pace: Pace,
): AsyncGenerator<number, void> {
  let position = first;
  const follow = (run: DecoderRun, steps: number): DecoderRun | null => {
    if (steps <= 0) return null;
    const next = decoder.run(run, position, steps);
    position += steps;
    return next;
  };
  let run: DecoderRun | null = decoder.run(prompt, 0, 1);
  let next: DecoderRun | null = null;
  try {
    while (run) {
      next = follow(run, Math.min(pace.steps, ahead - position));
      const tokens = await run.found;
      pace.arrived(tokens.length);
      yield* tokens;
      next ??= follow(run, Math.min(1, end - position));
      run[Symbol.dispose]();
      run = next;
      next = null;
    }
  } finally {
    for (const left of [run, next]) {
      // What failed was thrown where it was waited for; a run behind that has nothing to add.
      await left?.found.catch(() => {});
      left?.[Symbol.dispose]();
    }
  }
}

/** Tokens drawn by their probability, each from logits that the host has read. */
export async function* sampledTokens(
  decoder: Decoder,
  prompt: readonly number[],
  { first, end }: Pick<Span, "first" | "end">,
  options: SamplingOptions & { vocab: number; uniform: () => number },
): AsyncGenerator<number, void> {
  const candidates = Math.min(options.topK ?? 50, options.vocab);
  let tokens = prompt;
  let start = 0;
  for (let position = first; position <= end; position++) {
    const { logits, ids } = await decoder.step(tokens, start, candidates);
    const token = ids[sampleIndex(logits, options, options.uniform())]!;
    yield token;
    tokens = [token];
    start = position;
  }
}
