/**
 * Byte pair encoding (Sennrich et al. 2016): the library merges neighbours, the pair of the lowest rank first, of equal
 * ranks the leftmost; here its pieces get ids and lengths, and what the vocabulary lacks is spelled in bytes or unknown: the library's
 * own tokens do not tell how much of the text an unknown one stands for (`bpe_test.ts`).
 *
 * @module
 */

import { BPE } from "@huggingface/tokenizers";
import { utf8Length } from "./placed_text.ts";

/** What a vocabulary and its merges are, checked: every id is whole and every merge is of tokens that exist. */
export interface BpeModel {
  /** Ids by token. */
  readonly vocab: ReadonlyMap<string, number>;
  /** Pairs of tokens that merge, the first pair first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Rank of every pair where several are equal; otherwise the rank is the place in `merges`. */
  readonly mergeRanks: readonly number[] | null;
  /** Token of characters outside the vocabulary; null leaves them out. */
  readonly unknown: string | null;
  /** Whether neighbouring unknown characters share one token. */
  readonly fuseUnknown: boolean;
  /** Whether an unknown character becomes the tokens `<0x00>` to `<0xFF>` of its bytes, where all exist. */
  readonly byteFallback: boolean;
  /** Whether a text that is a token is taken whole, without merging. */
  readonly ignoreMerges: boolean;
}

/** A text in tokens. */
export interface BpeTokens {
  /** Ids, in order. */
  readonly ids: readonly number[];
  /** UTF-8 bytes of each token. */
  readonly lengths: readonly number[];
}

/** How a vocabulary that falls back to bytes spells each of them. */
export const BYTE_TOKENS: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);

/** Words that are kept with their tokens; most of a text are words that came before. */
const CACHED_WORDS = 10_000;
const CACHED_LENGTH = 64;

const OVER_MARK = /[^\u2581]\u2581/;
const WORD_START = /(?<=[^\u2581])(?=\u2581)/;

/** Encodes words; made once for a vocabulary. */
export class Bpe {
  readonly #model: BpeModel;
  readonly #library: BPE;
  readonly #unknownId: number | null;
  /** Where a text comes apart for merging: before space marks, if no merge goes over one. Its parts are words that repeat. */
  readonly #wordStart: RegExp | null;
  readonly #cache = new Map<string, BpeTokens>();

  /**
   * Indexes a vocabulary.
   *
   * @param model The vocabulary with its merges.
   */
  constructor(model: BpeModel) {
    this.#model = model;
    // Ids are looked up here: with them the library would forget how long an unknown token is.
    const merges = model.merges as [string, string][];
    this.#library = new BPE({ type: "BPE", vocab: {}, merges, ignore_merges: false });
    for (const [i, rank] of (model.mergeRanks ?? []).entries()) {
      this.#library.bpe_ranks.set(JSON.stringify(model.merges[i]), rank);
    }
    this.#unknownId = model.unknown === null ? null : model.vocab.get(model.unknown)!;
    this.#wordStart = model.merges.some(([left, right]) => OVER_MARK.test(left + right)) ? null : WORD_START;
  }

  /**
   * Encodes a word.
   *
   * @param word A text without halves of surrogate pairs.
   * @returns Its tokens; none for an empty text.
   */
  encode(word: string): BpeTokens {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const tokens = this.#place(this.#split(word));
    if (word.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, tokens);
    }
    return tokens;
  }

  #split(word: string): readonly string[] {
    const { vocab, ignoreMerges } = this.#model;
    if (ignoreMerges && vocab.has(word)) return [word];
    const pieces = this.#merge(word);
    if (this.#unknownId !== null) return pieces;
    // What is left out does not keep its neighbours from merging in the reference.
    const kept = pieces.filter((piece) => vocab.has(piece) || this.#bytes(piece) !== null);
    return kept.length === pieces.length ? pieces : this.#merge(kept.join(""));
  }

  #merge(word: string): readonly string[] {
    if (this.#wordStart === null) return this.#library.bpe(word);
    return word.split(this.#wordStart).flatMap((part) => this.#library.bpe(part));
  }

  /** Ids of the bytes of a character, or null where the vocabulary does not fall back to them. */
  #bytes(character: string): number[] | null {
    if (!this.#model.byteFallback) return null;
    const ids = Array.from(new TextEncoder().encode(character), (byte) => this.#model.vocab.get(BYTE_TOKENS[byte]!));
    return ids.includes(undefined) ? null : ids as number[];
  }

  /** Ids and lengths. As in the reference, an unknown character waits until the next known one, even over bytes. */
  #place(pieces: readonly string[]): BpeTokens {
    const ids: number[] = [];
    const lengths: number[] = [];
    const add = (id: number, length: number): void => {
      ids.push(id);
      lengths.push(length);
    };
    let waiting = 0;
    const settle = (): void => {
      if (waiting > 0) add(this.#unknownId!, waiting);
      waiting = 0;
    };
    for (const piece of pieces) {
      const id = this.#model.vocab.get(piece);
      let length = 0;
      for (const character of piece) length += utf8Length(character);
      const bytes = id === undefined ? this.#bytes(piece) : null;
      if (id !== undefined) {
        settle();
        add(id, length);
      } else if (bytes !== null) { for (const byte of bytes) add(byte, 1); }
      else {
        if (!this.#model.fuseUnknown) settle();
        waiting += length;
      }
    }
    settle();
    return { ids, lengths };
  }
}
