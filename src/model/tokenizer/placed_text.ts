/**
 * Text that is rewritten step by step and still knows where every piece of it stood in the original.
 *
 * @module
 */

/** Half-open range [start, end) of a text, in UTF-16 units as JavaScript strings count. */
export type Offset = [start: number, end: number];

/** A character of a rewritten text: what it is now, and the range of the original text that it stands for. */
export interface PlacedCharacter {
  /** One code point or several. */
  readonly text: string;
  /** First UTF-16 unit of its origin. */
  readonly start: number;
  /** UTF-16 unit behind its origin. */
  readonly end: number;
}

/** A text whose every UTF-16 unit knows its range in the original text. Both halves of a surrogate pair share theirs. */
export class PlacedText {
  /** The text as it is now; never holds half a surrogate pair. */
  readonly text: string;
  readonly #start: Uint32Array;
  readonly #end: Uint32Array;

  private constructor(text: string, start: Uint32Array, end: Uint32Array) {
    this.text = text;
    this.#start = start;
    this.#end = end;
  }

  /**
   * Places an original text on itself.
   *
   * @param text Any text; half a surrogate pair becomes U+FFFD, as it does in UTF-8.
   * @returns The text, every character on its own range.
   */
  static of(text: string): PlacedText {
    const whole = text.toWellFormed();
    const start = new Uint32Array(whole.length);
    const end = new Uint32Array(whole.length);
    for (let i = 0; i < whole.length;) {
      const length = whole.codePointAt(i)! > 0xffff ? 2 : 1;
      start.fill(i, i, i + length);
      end.fill(i + length, i, i + length);
      i += length;
    }
    return new PlacedText(whole, start, end);
  }

  /**
   * Joins characters to a text.
   *
   * @param characters What the text is made of, in order.
   * @returns The text, every unit on the range of its character.
   */
  static join(characters: readonly PlacedCharacter[]): PlacedText {
    const text = characters.map((character) => character.text).join("");
    const start = new Uint32Array(text.length);
    const end = new Uint32Array(text.length);
    let unit = 0;
    for (const character of characters) {
      start.fill(character.start, unit, unit + character.text.length);
      end.fill(character.end, unit, unit + character.text.length);
      unit += character.text.length;
    }
    return new PlacedText(text, start, end);
  }

  /** The code points of the text with their origins. */
  characters(): PlacedCharacter[] {
    const characters: PlacedCharacter[] = [];
    let unit = 0;
    for (const text of this.text) {
      characters.push({ text, start: this.#start[unit]!, end: this.#end[unit]! });
      unit += text.length;
    }
    return characters;
  }

  /**
   * Gives a rewriting of the text its places.
   *
   * @param text The text rewritten character by character, with more in front perhaps: it stands on the first character.
   * @param length Units that a character became; one for one of ASCII if the text did not grow.
   */
  respell(text: string, length: (character: string) => number): PlacedText {
    if (text.length === this.text.length && /^[\0-\x7f]*$/.test(this.text)) {
      return new PlacedText(text, this.#start, this.#end);
    }
    const start = new Uint32Array(text.length);
    const end = new Uint32Array(text.length);
    const characters = this.characters();
    let unit = text.length;
    for (const character of characters.toReversed()) {
      const behind = unit;
      unit -= length(character.text);
      start.fill(character.start, unit, behind);
      end.fill(character.end, unit, behind);
    }
    start.fill(characters[0]!.start, 0, unit);
    end.fill(characters[0]!.end, 0, unit);
    return new PlacedText(text, start, end);
  }

  /** Cuts the text into pieces that make it up. */
  cut(pieces: readonly string[]): PlacedText[] {
    let from = 0;
    return pieces.map((piece) => this.slice(from, from += piece.length));
  }

  /** Cuts units `from` to `to` out; they begin and end between characters. */
  slice(from: number, to: number): PlacedText {
    if (from === 0 && to === this.text.length) return this;
    return new PlacedText(this.text.slice(from, to), this.#start.subarray(from, to), this.#end.subarray(from, to));
  }

  /** Original range of the units `from` to `to`, at least one. */
  range(from: number, to: number): Offset {
    return [this.#start[from]!, this.#end[to - 1]!];
  }

  /**
   * Replaces every match of a pattern. The new text stands on the range of the last character that it replaces.
   *
   * @param pattern Global pattern.
   * @param content What to write.
   */
  replace(pattern: RegExp, content: string): PlacedText {
    const parts: PlacedCharacter[][] = [];
    let done = 0;
    for (const { 0: found, index } of this.text.matchAll(pattern)) {
      if (found === "") continue;
      parts.push(this.slice(done, index).characters());
      done = index + found.length;
      const last = found.codePointAt(found.length - 2)! > 0xffff && found.length > 1 ? 2 : 1;
      const [start, end] = this.range(done - last, done);
      parts.push([{ text: content, start, end }]);
    }
    if (done === 0) return this;
    parts.push(this.slice(done, this.text.length).characters());
    return PlacedText.join(parts.flat());
  }
}

/** Length of a character in UTF-8. */
export function utf8Length(character: string): number {
  const code = character.codePointAt(0)!;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}
