/**
 * Tokens of a continuation, one after the other, as a decoder finds them.
 *
 * @module
 */
import type { Decoder, DecoderStep } from "./decoder.ts";
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
 * The most likely token each time. A step begins before the token it starts from has been read, so that the device works
 * while the host waits, reads and records; a reader who stops early leaves one step that nobody needed.
 */
export async function* likeliestTokens(
  decoder: Decoder,
  prompt: readonly number[],
  { first, ahead, end }: Span,
): AsyncGenerator<number, void> {
  let step: DecoderStep | null = decoder.begin(prompt, 0, 1);
  let next: DecoderStep | null = null;
  try {
    for (let position = first; step; position++) {
      if (position < ahead) next = decoder.begin(step, position, 1);
      const token = (await step.found).ids[0]!;
      yield token;
      if (position < end) next ??= decoder.begin(step, position, 1);
      step[Symbol.dispose]();
      step = next;
      next = null;
    }
  } finally {
    for (const left of [step, next]) {
      // What failed was thrown where it was waited for; a step ahead of that has nothing to add.
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
