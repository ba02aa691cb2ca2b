/**
 * Unicode normalization by the library, with the place of every character.
 *
 * As the reference has it, a character that came out of a decomposition behind the first stands on the range of the
 * character before it; characters that merged stand on the range of the first of them.
 *
 * @module
 */

import type { NFCNormalizer, NFDNormalizer, NFKCNormalizer, NFKDNormalizer } from "@huggingface/tokenizers";
import { type PlacedCharacter, PlacedText } from "./placed_text.ts";

/** The library's step for one of the four forms. */
export type UnicodeNormalizer = NFCNormalizer | NFDNormalizer | NFKCNormalizer | NFKDNormalizer;

/**
 * Characters younger than Unicode 10, which the tables of the reference do not have: it leaves them alone, the library
 * does not (U+11935 U+11930 in `styles_test.ts`). Found by comparing all code points with Python `tokenizers` 0.23.3.
 */
const UNKNOWN =
  /[\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0c3c\u0d3b\u0d3c\u0eba\u1715\u1abf-\u1ace\u1df6-\u1dfa\u32ff\ua7f2-\ua7f4\ua82c\uab69\u{105c9}\u{105e4}\u{10781}-\u{107ba}\u{10d24}-\u{10d27}\u{10d69}-\u{10d6d}\u{10eab}\u{10eac}\u{10efd}-\u{10eff}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11070}\u{1133b}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113b8}-\u{113d0}\u{1145e}\u{11839}\u{1183a}\u{11930}-\u{11943}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11d42}-\u{11d45}\u{11d97}\u{11f41}\u{11f42}\u{1611e}-\u{1612f}\u{16d63}-\u{16d6a}\u{16ff0}\u{16ff1}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e08f}\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1f16c}\u{1fbf0}-\u{1fbf9}]/gu;

/**
 * Places what a stretch of known characters became. Marks change their order only between each other, and equal marks
 * never: so the characters of the result find their parts, in order, among those the original decomposes to.
 */
function place(
  normalized: string,
  old: readonly PlacedCharacter[],
  form: UnicodeNormalizer["form"],
): PlacedCharacter[] {
  /** For each part of the decomposed original, the last first: whether its character had parts before it. */
  const parts = new Map<string, boolean[]>();
  for (const { text } of old.toReversed()) {
    const decomposed = [...text.normalize(form.startsWith("NFK") ? "NFKD" : "NFD")];
    for (const [i, part] of [...decomposed.entries()].toReversed()) {
      const found = parts.get(part);
      if (found === undefined) parts.set(part, [i > 0]);
      else found.push(i > 0);
    }
  }
  let at = 0;
  return Array.from(normalized, (text) => {
    // Characters of the original that it takes beyond its own: 1 less for one put in, 1 more for one merged into it.
    const merged = form.endsWith("C") ? [...text.normalize("NFD")] : [text];
    const added = merged.filter((part) => parts.get(part)!.pop()).length;
    const change = added - (merged.length - 1);
    const { start, end } = old[Math.min(change > 0 ? Math.max(at - 1, 0) : at, old.length - 1)]!;
    if (change <= 0) at += 1 - change;
    return { text, start, end };
  });
}

/**
 * Normalizes a text.
 *
 * @param placed The text.
 * @param normalizer The library's step.
 * @returns The normalized text, every character on its range in the original.
 */
export function toUnicodeForm(placed: PlacedText, normalizer: UnicodeNormalizer): PlacedText {
  const { text } = placed;
  if (normalizer.normalize(text) === text) return placed;
  const characters: PlacedCharacter[][] = [];
  let done = 0;
  const settle = (to: number): void => {
    const old = placed.slice(done, to).characters();
    characters.push(place(normalizer.normalize(text.slice(done, to)), old, normalizer.form));
  };
  for (const { 0: unknown, index } of text.matchAll(UNKNOWN)) {
    settle(index);
    done = index + unknown.length;
    characters.push(placed.slice(index, done).characters());
  }
  settle(text.length);
  return PlacedText.join(characters.flat());
}
