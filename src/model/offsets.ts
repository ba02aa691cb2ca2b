/**
 * Where tokens lie in the text: half-open ranges of UTF-16 units, as JavaScript strings count.
 *
 * Tokens that share a character overlap, because a token of bytes is given every character that it has a byte of.
 *
 * @module
 */

import { byteOf, SPACE_MARK } from "./byte_level.ts";

/** Half-open range [start, end) of a text, in UTF-16 units. */
export type Offset = [start: number, end: number];

/** The UTF-8 bytes of a text and, for each, the range of the original text that it came from. */
export interface ByteSpans {
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** First UTF-16 unit of the byte's origin, one entry a byte. */
  readonly start: Uint32Array;
  /** UTF-16 unit behind the byte's origin, one entry a byte. */
  readonly end: Uint32Array;
}

const encoder = new TextEncoder();

/**
 * Joins characters that normalization may merge: a piece of the result can be normalized without its neighbours.
 *
 * @param text Original text.
 * @param normalize Unicode normalization.
 * @returns Pieces that give `text` when joined.
 */
function splitForNormalization(text: string, normalize: (text: string) => string): string[] {
  const pieces: string[] = [];
  for (const character of text) {
    const piece = pieces.at(-1);
    const joins = piece !== undefined &&
      (/^\p{M}/u.test(character) || normalize(piece + character) !== normalize(piece) + normalize(character));
    if (joins) pieces.push(pieces.pop()! + character);
    else pieces.push(character);
  }
  return pieces.map(normalize).join("") === normalize(text) ? pieces : [text];
}

/**
 * Maps the bytes of a (normalized) text to the original text.
 *
 * Of a piece that normalization changed, the first new character comes from the first old one and the last ones come
 * from the last ones; old characters that were merged into their neighbour have no byte of their own.
 *
 * @param text Original text of this section.
 * @param normalize Unicode normalization, or null.
 * @param first Place of the section in the whole text, in UTF-16 units.
 * @returns The bytes of the normalized text with their origins.
 */
export function byteSpans(text: string, normalize: ((text: string) => string) | null, first: number): ByteSpans {
  const normalized = normalize === null ? text : normalize(text);
  const bytes = encoder.encode(normalized);
  const start = new Uint32Array(bytes.length);
  const end = new Uint32Array(bytes.length);
  let byte = 0;
  const origin = (character: string, from: number, to: number): void => {
    const length = encoder.encode(character).length;
    start.fill(from, byte, byte + length);
    end.fill(to, byte, byte + length);
    byte += length;
  };
  let unit = first;
  const pieces = normalize === null || normalized === text ? text : splitForNormalization(text, normalize);
  for (const piece of pieces) {
    const old = [...piece];
    const starts = old.map((_, i) => unit + old.slice(0, i).join("").length);
    const made = normalize === null ? old : [...normalize(piece)];
    made.forEach((character, i) => {
      const merged = i === 0 ? 0 : Math.max(0, old.length - made.length);
      const from = Math.min(i + merged, old.length - 1);
      origin(character, starts[from]!, starts[from]! + old[from]!.length);
    });
    unit += piece.length;
  }
  return { bytes, start, end };
}

/**
 * Walks through the pre-tokens of one section and places their tokens.
 */
export class OffsetWalker {
  readonly #spans: ByteSpans;
  #byte = 0;

  /**
   * Starts at the front of a section.
   *
   * @param spans Bytes of the section and their origins.
   */
  constructor(spans: ByteSpans) {
    this.#spans = spans;
  }

  /**
   * Places the tokens of the next pre-token.
   *
   * @param preToken Pre-token in the byte-level alphabet. A space in front that the text does not have gets the origin
   *   of the first character; a byte without a token in the vocabulary is passed over.
   * @param tokens Its tokens, in order.
   * @returns One range a token.
   * @throws {Error} If the tokens do not spell the text.
   */
  place(preToken: string, tokens: readonly string[]): Offset[] {
    const { bytes, start, end } = this.#spans;
    const origin: number[] = [];
    for (let i = 0; i < preToken.length; i++) {
      const inserted = i === 0 && preToken.startsWith(SPACE_MARK) && bytes[this.#byte] !== 0x20;
      if (!inserted && byteOf(preToken[i]!) !== bytes[this.#byte]) throw misplaced(preToken);
      origin.push(this.#byte);
      if (!inserted) this.#byte++;
    }
    let at = 0;
    return tokens.map((token) => {
      while (!preToken.startsWith(token, at)) if (++at >= preToken.length) throw misplaced(token);
      const range: Offset = [start[origin[at]!]!, end[origin[at + token.length - 1]!]!];
      at += token.length;
      return range;
    });
  }
}

function misplaced(token: string): Error {
  return new Error(
    `Cannot place "${token}" in the text: the tokenizer gave what the text does not hold, wanted byte-level tokens; ` +
      `check the pre_tokenizer of its tokenizer.json`,
  );
}

/**
 * Leaves the spaces at both ends of a token out of its range, as the byte-level post-processor does on demand.
 *
 * @param token Token in the byte-level alphabet.
 * @param range Range with the spaces.
 * @param keepFirst Whether a range at the front of the text keeps its leading space, which was put there by the tokenizer.
 * @returns The range without them.
 */
export function trimOffset(token: string, [start, end]: Offset, keepFirst: boolean): Offset {
  const marks = /^\u0120*/.exec(token)![0].length;
  const inFront = keepFirst && start === 0;
  if (inFront && marks === token.length) return [0, 0];
  const trailing = /\u0120*$/.exec(token)![0].length;
  const first = inFront ? start : Math.min(start + marks, end);
  return [first, Math.max(end - trailing, first)];
}
