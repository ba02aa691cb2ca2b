/**
 * Unicode normalization that keeps the place of every character.
 *
 * The text is decomposed, marks are sorted by their combining class, and what composes is composed again (UAX 15). The
 * engine's `normalize` gives the data: how one character decomposes, whether two marks change places, what two
 * characters compose to. A character that came out of a decomposition behind the first stands on the range of the
 * character before it; characters that merged stand on the range of the first of them.
 *
 * @module
 */

import { type PlacedCharacter, PlacedText } from "./placed_text.ts";

/** Names of the four forms. */
export type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/**
 * Characters younger than Unicode 10, which the tables of the reference do not have: it leaves them alone. Found by
 * comparing all code points with Python `tokenizers` 0.23.3.
 */
const UNKNOWN =
  /[\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0c3c\u0d3b\u0d3c\u0eba\u1715\u1abf-\u1ace\u1df6-\u1dfa\u32ff\ua7f2-\ua7f4\ua82c\uab69\u{105c9}\u{105e4}\u{10781}-\u{107ba}\u{10d24}-\u{10d27}\u{10d69}-\u{10d6d}\u{10eab}\u{10eac}\u{10efd}-\u{10eff}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11070}\u{1133b}\u{11383}\u{11385}\u{1138e}\u{11391}\u{113b8}-\u{113d0}\u{1145e}\u{11839}\u{1183a}\u{11930}-\u{11943}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11d42}-\u{11d45}\u{11d97}\u{11f41}\u{11f42}\u{1611e}-\u{1612f}\u{16d63}-\u{16d6a}\u{16ff0}\u{16ff1}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e08f}\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}\u{1f16c}\u{1fbf0}-\u{1fbf9}]/u;

/** A character on its way through the two passes. */
interface Part {
  readonly text: string;
  /** Characters of the text that it takes beyond its own: 1 for one put in, -n for n that were merged into it. */
  readonly change: number;
}

function isUnknown(character: string): boolean {
  return UNKNOWN.test(character);
}

/** Whether a decomposed character has combining class 0; the classes 1 and 240 are the ends of the scale. */
function isStarter(character: string): boolean {
  if (character < "\u0300" || isUnknown(character)) return true;
  return changesPlaces(character, "\u0334") === false && changesPlaces("\u0345", character) === false;
}

/** Whether two characters stand the other way round once normalized: the first has the higher class. */
function changesPlaces(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") === second + first;
}

function decompose(characters: readonly PlacedCharacter[], form: "NFD" | "NFKD"): Part[] {
  const parts: Part[] = [];
  let marks: Part[] = [];
  const settle = (): void => {
    // An insertion sort is stable: marks of one class keep their order.
    for (let i = 1; i < marks.length; i++) {
      for (let j = i; j > 0 && changesPlaces(marks[j - 1]!.text, marks[j]!.text); j--) {
        [marks[j - 1], marks[j]] = [marks[j]!, marks[j - 1]!];
      }
    }
    for (const mark of marks) parts.push(mark);
    marks = [];
  };
  for (const { text } of characters) {
    const pieces = isUnknown(text) ? [text] : [...text.normalize(form)];
    for (const [i, piece] of pieces.entries()) {
      const part = { text: piece, change: i === 0 ? 0 : 1 };
      if (!isStarter(piece)) marks.push(part);
      else {
        settle();
        parts.push(part);
      }
    }
  }
  settle();
  return parts;
}

/** What two neighbours compose to, or null. */
function compose(first: string, second: string): string | null {
  if (isUnknown(first) || isUnknown(second)) return null;
  const both = (first + second).normalize("NFC");
  return both.length === (both.codePointAt(0)! > 0xffff ? 2 : 1) && !isUnknown(both) ? both : null;
}

function recompose(parts: readonly Part[]): Part[] {
  const done: Part[] = [];
  let base: Part | null = null;
  let marks: Part[] = [];
  const settle = (): void => {
    if (base !== null) done.push(base);
    for (const mark of marks) done.push(mark);
    marks = [];
  };
  for (const part of parts) {
    const starter = isStarter(part.text);
    if (base === null) {
      if (starter) base = part;
      else done.push(part);
      continue;
    }
    const last = marks.at(-1);
    const blocked = last !== undefined && (starter || !changesPlaces(part.text, last.text));
    const composed: string | null = blocked ? null : compose(base.text, part.text);
    if (composed !== null) base = { text: composed, change: base.change + part.change - 1 };
    else if (starter) {
      settle();
      base = part;
    } else marks.push(part);
  }
  settle();
  return done;
}

/** Gives the new characters their ranges by counting through the old ones. */
function place(parts: readonly Part[], old: readonly PlacedCharacter[]): PlacedText {
  let at = 0;
  return PlacedText.join(parts.map(({ text, change }) => {
    const origin = old[Math.min(change > 0 ? Math.max(at - 1, 0) : at, old.length - 1)]!;
    if (change <= 0) at += 1 - change;
    return { text, start: origin.start, end: origin.end };
  }));
}

/**
 * Normalizes a text.
 *
 * @param placed The text.
 * @param form Which of the four forms.
 * @returns The normalized text, every character on its range in the original.
 */
export function toUnicodeForm(placed: PlacedText, form: UnicodeForm): PlacedText {
  if (placed.text.normalize(form) === placed.text && !isUnknown(placed.text)) return placed;
  const old = placed.characters();
  const composes = form === "NFC" || form === "NFKC";
  const parts = decompose(old, form === "NFC" || form === "NFD" ? "NFD" : "NFKD");
  return place(composes ? recompose(parts) : parts, old);
}
