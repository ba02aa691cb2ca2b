/**
 * Tokens that are cut out of a text before anything is done to it, or before it is split.
 *
 * The library does this too, but it does not ask whether a token stands as a word of its own, and takes white space beside
 * it by JavaScript's definition and without a place (the styles `possessive` and `phi3` of `styles_test.ts` show both).
 *
 * @module
 */

import type { Normalizer } from "./normalizer.ts";
import { escapeLiteral } from "./oniguruma.ts";
import { PlacedText } from "./placed_text.ts";

/** A token that is cut out of the text. */
export interface AddedToken {
  /** Id in the vocabulary. */
  readonly id: number;
  /** Its literal text. */
  readonly content: string;
  /** Whether it is found only where no letter, digit or mark touches it. */
  readonly single_word: boolean;
  /** Whether it takes the white space in front. */
  readonly lstrip: boolean;
  /** Whether it takes the white space behind. */
  readonly rstrip: boolean;
  /** Whether it is looked for after normalization. */
  readonly normalized: boolean;
  /** Whether decoding may leave it out. */
  readonly special: boolean;
}

/** A piece of a text: an added token, or what lies between them. */
export interface Section {
  /** Text of the piece. */
  readonly text: PlacedText;
  /** Id of the added token; null between them. */
  readonly id: number | null;
}

const WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE = /\p{White_Space}/u;

/** Whether letters, digits or marks touch a range. */
function isTouched(text: string, from: number, to: number): boolean {
  const half = from > 1 && text.codePointAt(from - 2)! > 0xffff ? 2 : 1;
  return WORD.test(text.slice(Math.max(from - half, 0), from)) ||
    (to < text.length && WORD.test(String.fromCodePoint(text.codePointAt(to)!)));
}

/** Finds one set of tokens, the longest at each place. */
class TokenFinder {
  readonly #byText: ReadonlyMap<string, AddedToken>;
  readonly #pattern: RegExp | null;

  constructor(tokens: readonly AddedToken[], normalize: (content: string) => string) {
    this.#byText = new Map(tokens.map((token) => [normalize(token.content), token]));
    const longestFirst = [...this.#byText.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = longestFirst.length === 0 ? null : new RegExp(longestFirst.map(escapeLiteral).join("|"), "g");
  }

  cut(text: PlacedText): Section[] {
    if (this.#pattern === null) return [{ text, id: null }];
    const whole = text.text;
    const sections: Section[] = [];
    let done = 0;
    for (const { 0: found, index } of whole.matchAll(this.#pattern)) {
      const token = this.#byText.get(found)!;
      let from = index;
      let to = index + found.length;
      if (token.single_word && isTouched(whole, from, to)) continue;
      while (token.rstrip && to < whole.length && SPACE.test(whole[to]!)) to++;
      if (token.lstrip) {
        // White space that the token before it took is not taken again, though the token itself be of it. Where more was
        // taken than the token, the reference ends with a panic.
        if (to <= done) continue;
        from = Math.max(from, done);
        while (from > done && SPACE.test(whole[from - 1]!)) from--;
      }
      if (done < from) sections.push({ text: text.slice(done, from), id: null });
      // A token that begins with white space may begin inside what the one before it took; the reference lets it.
      sections.push({ text: text.slice(from, to), id: token.id });
      done = to;
    }
    if (done < whole.length) sections.push({ text: text.slice(done, whole.length), id: null });
    return sections;
  }
}

/**
 * Makes what cuts a text into added tokens and normalized sections.
 *
 * @param tokens The added tokens.
 * @param normalizer Normalizer of the tokenizer.
 * @returns Takes a text; gives the pieces in order, none of them empty.
 */
export function makeSectioner(
  tokens: readonly AddedToken[],
  normalizer: Normalizer,
): (text: PlacedText) => Section[] {
  const raw = new TokenFinder(tokens.filter(({ normalized }) => !normalized), (content) => content.toWellFormed());
  const late = new TokenFinder(
    tokens.filter(({ normalized }) => normalized),
    (content) => normalizer(PlacedText.of(content)).text,
  );
  return (text) =>
    raw.cut(text)
      .flatMap((section) => section.id === null ? late.cut(normalizer(section.text)) : [section])
      .filter((section) => section.text.text !== "");
}
