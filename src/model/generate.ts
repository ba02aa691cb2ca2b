import { SeededRandom } from "../linalg/seeded_random.ts";
import { Decoder } from "./decoder.ts";
import { DecodingPace, type Pace } from "./decoding_pace.ts";
import type { Model } from "./model.ts";
import { likeliestTokens, sampledTokens } from "./drawn_tokens.ts";
import { checkSampling, type SamplingOptions } from "./sampling.ts";
import { TextStream } from "./tokenizer.ts";

/** Options of `generate` and `complete`. */
export interface GenerateOptions extends SamplingOptions {
  /** Most new tokens, or Infinity for all that fit. Default: 64 (`complete`: 16). */
  maxTokens?: number;
  /** Stops at a newline and at a full stop that ends the sentence. Default: false (`complete`: true). */
  stopAtSentence?: boolean;
  /** Seed of the sampler. Default: 0. */
  seed?: number;
  /** Stops before the next token when aborted: what is waited for rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Continues `prompt` with a key/value cache and yields text as its characters become complete.
 *
 * @param pace Tokens that wait together, of those that the host need not draw.
 */
export async function* generate(
  model: Model,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
  pace: Pace = new DecodingPace(),
): AsyncGenerator<string> {
  checkSampling(options);
  const { maxTokens = 64, stopAtSentence = false } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0) && maxTokens !== Infinity) {
    throw new RangeError(
      `Cannot generate ${maxTokens} tokens: wanted an integer from 0 up, or Infinity for all that fit`,
    );
  }
  options.signal?.throwIfAborted();
  const ids = typeof prompt === "string" ? model.tokens(prompt) : [...prompt];
  model.checkTokens(ids);
  const first = ids.length;
  const end = Math.min(first + maxTokens, model.config.maxPos);
  using decoder = new Decoder(model, end);
  const text = new TextStream(model.tokenizer, { continues: true });
  // The last token wanted is not followed by a step, unless it may be a full stop inside a sentence.
  const span = { first, ahead: Math.min(first + maxTokens - 1, end), end };
  const random = new SeededRandom(options.seed ?? 0, "generate");
  const tokens = (options.temperature ?? 0) === 0
    ? likeliestTokens(decoder, ids, span, pace)
    : sampledTokens(decoder, ids, span, { ...options, vocab: model.config.vocab, uniform: () => random.uniform() });
  let held: number | null = null;
  let written = "";
  try {
    for (let count = 0; count < maxTokens || held !== null; count++) {
      options.signal?.throwIfAborted();
      const { value: token } = await tokens.next();
      if (token === undefined) break;
      const piece = model.tokenizer.tokenText(token);
      if (held !== null) {
        if (token === model.tokenizer.eosId || endsSentence(written, piece)) return;
        written += ".";
        yield text.push(held);
        held = null;
      }
      if (token === model.tokenizer.eosId) return;
      if (count === maxTokens) break;
      if (stopAtSentence) {
        const line = piece.indexOf("\n");
        if (line >= 0) {
          yield piece.slice(0, line);
          return;
        }
        if (piece.endsWith(".")) {
          held = token;
          continue;
        }
      }
      const shown = text.push(token);
      written += shown;
      yield shown;
    }
    if (held !== null) yield text.push(held);
    yield text.end();
  } finally {
    await tokens.return();
  }
}

/**
 * Whether a full stop between `before` and `after` ends a sentence: white space follows, or a capital after a whole word
 * (models trained on sentences without spaces between them), but not in "U.S.", "3.5" or "example.com".
 */
export function endsSentence(before: string, after: string): boolean {
  return /^\s/.test(after) || (/^\p{Lu}/u.test(after) && /\p{L}{2,}$/u.test(before));
}
