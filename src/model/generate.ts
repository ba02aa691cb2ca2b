import { SeededRandom } from "../linalg/seeded_random.ts";
import { Decoder } from "./decoder.ts";
import type { Model } from "./model.ts";
import { checkSampling, sampleIndex, type SamplingOptions } from "./sampling.ts";
import { TextStream } from "./tokenizer.ts";

/** Options of `generate` and `complete`. */
export interface GenerateOptions extends SamplingOptions {
  /** Most new tokens. Default: 64 (`complete`: 16). */
  maxTokens?: number;
  /** Stops at a newline and at a full stop that ends the sentence. Default: false (`complete`: true). */
  stopAtSentence?: boolean;
  /** Seed of the sampler. Default: 0. */
  seed?: number;
  /** Stops before the next token when aborted: what is waited for rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Continues `prompt` with a key/value cache, one wait a token, and yields text as its characters become complete. */
export async function* generate(
  model: Model,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<string> {
  checkSampling(options);
  options.signal?.throwIfAborted();
  const ids = typeof prompt === "string" ? model.tokens(prompt) : [...prompt];
  model.checkTokens(ids);
  const { maxTokens = 64, stopAtSentence = false } = options;
  const room = Math.min(ids.length + maxTokens, model.config.maxPos);
  const random = new SeededRandom(options.seed ?? 0, "generate");
  const greedy = (options.temperature ?? 0) === 0;
  const drawn = greedy ? 1 : Math.min(options.topK ?? 50, model.config.vocab);
  using decoder = new Decoder(model, room);
  const text = new TextStream(model.tokenizer, { continues: true });
  let next = await step(ids, 0);
  let held: number | null = null;
  let written = "";
  for (let count = 0; count < maxTokens; count++) {
    options.signal?.throwIfAborted();
    const token = next;
    if (token === model.tokenizer.eosId) return;
    if (stopAtSentence) {
      const piece = model.tokenizer.tokenText(token);
      if (held !== null) {
        if (endsSentence(written, piece)) return;
        written += ".";
        yield text.push(held);
        held = null;
      }
      const line = piece.indexOf("\n");
      if (line >= 0) {
        yield piece.slice(0, line);
        return;
      }
      if (piece.endsWith(".")) held = token;
    }
    if (held === null) {
      const piece = text.push(token);
      written += piece;
      yield piece;
    }
    const position = ids.length + count;
    if (position >= room || (count + 1 === maxTokens && held === null)) break;
    next = await step([token], position);
  }
  if (held !== null && next !== model.tokenizer.eosId && !endsSentence(written, model.tokenizer.tokenText(next))) {
    yield text.push(held);
  }
  yield text.end();

  /** Runs new tokens from `start` on and draws the token after them. */
  async function step(tokens: readonly number[], start: number): Promise<number> {
    const { logits, ids } = await decoder.step(tokens, start, drawn);
    return ids[sampleIndex(logits, options, random.uniform())]!;
  }
}

/**
 * Whether a full stop between `before` and `after` ends a sentence: white space follows, or a capital after a whole word
 * (models trained on sentences without spaces between them), but not in "U.S.", "3.5" or "example.com".
 */
export function endsSentence(before: string, after: string): boolean {
  return /^\s/.test(after) || (/^\p{Lu}/u.test(after) && /\p{L}{2,}$/u.test(before));
}
