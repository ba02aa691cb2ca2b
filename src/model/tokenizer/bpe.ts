/**
 * Byte pair encoding (Sennrich et al. 2016): neighbours are merged, the pair of the lowest rank first, of equal ranks the
 * leftmost.
 *
 * @module
 */

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

interface Merge {
  readonly rank: number;
  readonly id: number;
}

/** A merge that is possible at a place of the chain. */
interface Candidate {
  readonly rank: number;
  readonly left: number;
  readonly id: number;
}

/** Candidates, the best on top. */
class CandidateHeap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.left < b.left);
}

/** Length of a character in UTF-8. */
function utf8Length(character: string): number {
  const code = character.codePointAt(0)!;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** How a vocabulary that falls back to bytes spells one of them. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** Words that are kept with their tokens; most of a text are words that came before. */
const CACHED_WORDS = 10_000;
const CACHED_LENGTH = 64;

/** Encodes words; made once for a vocabulary. */
export class Bpe {
  readonly #model: BpeModel;
  /** Merges by left id times {@link #stride} plus right id. */
  readonly #merges = new Map<number, Merge>();
  readonly #stride: number;
  readonly #bytes: readonly (number | undefined)[];
  readonly #unknownId: number | null;
  readonly #cache = new Map<string, BpeTokens>();

  /**
   * Indexes a vocabulary.
   *
   * @param model The vocabulary with its merges.
   */
  constructor(model: BpeModel) {
    this.#model = model;
    const { vocab } = model;
    let largest = 0;
    for (const id of vocab.values()) largest = Math.max(largest, id);
    this.#stride = largest + 1;
    for (const [i, [left, right]] of model.merges.entries()) {
      const key = vocab.get(left)! * this.#stride + vocab.get(right)!;
      this.#merges.set(key, { rank: model.mergeRanks?.[i] ?? i, id: vocab.get(left + right)! });
    }
    this.#bytes = Array.from({ length: 256 }, (_, byte) => vocab.get(byteToken(byte)));
    this.#unknownId = model.unknown === null ? null : vocab.get(model.unknown)!;
  }

  /**
   * Encodes a word.
   *
   * @param word A text without halves of surrogate pairs.
   * @returns Its tokens; none for an empty text.
   */
  encode(word: string): BpeTokens {
    const whole = this.#model.ignoreMerges ? this.#model.vocab.get(word) : undefined;
    if (whole !== undefined) return { ids: [whole], lengths: [new TextEncoder().encode(word).length] };
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const tokens = this.#merge(this.#spell(word));
    if (word.length <= CACHED_LENGTH) {
      if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
      this.#cache.set(word, tokens);
    }
    return tokens;
  }

  /** The tokens of the single characters. An unknown one waits until the next known one, even over bytes. */
  #spell(word: string): { ids: number[]; lengths: number[] } {
    const { vocab, byteFallback, fuseUnknown } = this.#model;
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
    for (const character of word) {
      const id = vocab.get(character);
      if (id !== undefined) {
        settle();
        add(id, utf8Length(character));
        continue;
      }
      const bytes = byteFallback ? Array.from(new TextEncoder().encode(character), (byte) => this.#bytes[byte]) : [];
      if (byteFallback && bytes.every((byte) => byte !== undefined)) {
        for (const byte of bytes) add(byte, 1);
      } else if (this.#unknownId !== null) {
        if (!fuseUnknown) settle();
        waiting += utf8Length(character);
      }
    }
    settle();
    return { ids, lengths };
  }

  #merge({ ids, lengths }: { ids: number[]; lengths: number[] }): BpeTokens {
    const count = ids.length;
    const next = Array.from({ length: count }, (_, i) => i + 1);
    const previous = Array.from({ length: count }, (_, i) => i - 1);
    const heap = new CandidateHeap();
    const find = (left: number, right: number): Merge | undefined =>
      this.#merges.get(ids[left]! * this.#stride + ids[right]!);
    const propose = (left: number): void => {
      const right = left < 0 ? count : next[left]!;
      const merge = right < count ? find(left, right) : undefined;
      if (merge !== undefined) heap.push({ ...merge, left });
    };
    for (let i = 0; i + 1 < count; i++) propose(i);
    for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
      const { left, id } = best;
      if (lengths[left] === 0 || next[left]! >= count) continue;
      const right = next[left]!;
      // The pair may have changed since it was proposed.
      if (find(left, right)?.id !== id) continue;
      ids[left] = id;
      lengths[left]! += lengths[right]!;
      lengths[right] = 0;
      next[left] = next[right]!;
      if (next[left]! < count) previous[next[left]!] = left;
      propose(previous[left]!);
      propose(left);
    }
    const kept = lengths.flatMap((length, i) => length > 0 ? [i] : []);
    return { ids: kept.map((i) => ids[i]!), lengths: kept.map((i) => lengths[i]!) };
  }
}
