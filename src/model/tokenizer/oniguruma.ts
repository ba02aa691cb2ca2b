/**
 * Regular expressions of `tokenizer.json`, which are written for Oniguruma, as those of JavaScript.
 *
 * @module
 */

/** Escapes that mean other characters in JavaScript, as what stands inside a class. Oniguruma's `\s` is Unicode's. */
const CLASS_ESCAPES: Record<string, string> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  n: "\\n",
  r: "\\r",
  t: "\\t",
  f: "\\f",
  v: "\\v",
};

/** Characters that JavaScript lets stand behind a backslash of their own. */
const SYNTAX = "^$\\.*+?()[]{}|/";

/** General categories and scripts by name are the same in both. */
const PROPERTY = /^\\[pP]\{\^?[\w=]+\}/;
const CODE_POINT = /^\\x\{([0-9a-fA-F]{1,6})\}|^\\u([0-9a-fA-F]{4})|^\\x([0-9a-fA-F]{2})/;
const GROUP_STARTS = /^\((?:\?:|\?=|\?!|\?<=|\?<!|\?i:)?(?!\?)/;
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})/;

/** A pattern that cannot be carried over; the message says what was found. */
export class PatternError extends Error {}

/** One pass over a pattern. */
class Translation {
  readonly #source: string;
  #at = 0;
  #result = "";
  /** Where the last atom begins in the result, and whether it is one character, as a possessive repeat needs it. */
  #atom: { start: number; single: boolean } | null = null;
  #possessive = 0;

  constructor(source: string) {
    this.#source = source;
  }

  whole(): string {
    const open: number[] = [];
    while (this.#at < this.#source.length) {
      const rest = this.#source.slice(this.#at);
      const group = GROUP_STARTS.exec(rest);
      const quantifier = QUANTIFIER.exec(rest);
      if (group !== null) {
        open.push(this.#result.length);
        this.#copy(group[0], group[0] === "(" ? "(?:" : group[0]);
        this.#atom = null;
      } else if (rest[0] === "(") throw new PatternError(`the group "${rest.slice(0, 4)}"`);
      else if (rest[0] === ")") {
        this.#copy(")");
        this.#atom = { start: open.pop() ?? 0, single: false };
      } else if (quantifier !== null) this.#quantify(quantifier[0]);
      else if (rest[0] === "|") {
        this.#copy("|");
        this.#atom = null;
      } else if (rest[0] === "^" || rest[0] === "$") throw new PatternError(`the anchor ${rest[0]}`);
      else this.#single(rest);
    }
    return this.#result;
  }

  #copy(found: string, written = found): void {
    this.#result += written;
    this.#at += found.length;
  }

  #single(rest: string): void {
    this.#atom = { start: this.#result.length, single: true };
    if (rest[0] === "[") this.#result += this.#characterClass();
    else if (rest[0] === "\\") this.#result += this.#escape();
    else if (rest[0] === ".") this.#copy(".", "[^\\n]");
    else {
      const character = String.fromCodePoint(rest.codePointAt(0)!);
      this.#copy(character, "]}/".includes(character) ? `\\${character}` : character);
    }
  }

  #quantify(found: string): void {
    if (this.#atom === null) throw new PatternError(`a repeat "${found}" of nothing`);
    const next = this.#source[this.#at + found.length];
    // Behind an interval, + repeats once more instead of making it possessive, and ? makes it optional.
    if (found[0] === "{" && (next === "+" || next === "?")) throw new PatternError(`the repeat "${found}${next}"`);
    if (next !== "+") {
      this.#copy(next === "?" ? `${found}?` : found);
      this.#atom = null;
      return;
    }
    if (!this.#atom.single) throw new PatternError(`the possessive repeat of a group "${found}+"`);
    // A lookahead is never entered again: what it took stays taken.
    const name = `possessive${this.#possessive++}`;
    const atom = this.#result.slice(this.#atom.start);
    this.#result = this.#result.slice(0, this.#atom.start) + `(?=(?<${name}>${atom}${found}))\\k<${name}>`;
    this.#at += found.length + 1;
    this.#atom = null;
  }

  #escape(): string {
    const rest = this.#source.slice(this.#at);
    const property = PROPERTY.exec(rest);
    if (property !== null) {
      this.#at += property[0].length;
      const negated = property[0].includes("^");
      const plain = property[0].replace("^", "");
      return negated ? (plain[1] === "p" ? "\\P" : "\\p") + plain.slice(2) : plain;
    }
    const code = CODE_POINT.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      return `\\u{${code[1] ?? code[2] ?? code[3]}}`;
    }
    const escaped = rest[1];
    if (escaped === undefined) throw new PatternError("a backslash at the end");
    const known = CLASS_ESCAPES[escaped];
    if (known === undefined && /[0-9A-Za-z]/.test(escaped)) throw new PatternError(`the escape \\${escaped}`);
    const character = String.fromCodePoint(rest.codePointAt(1)!);
    this.#at += 1 + character.length;
    if (known !== undefined) return known;
    return SYNTAX.includes(character) ? `\\${character}` : character === "-" ? "\\x2d" : character;
  }

  #characterClass(): string {
    let result = "[";
    this.#at++;
    if (this.#source[this.#at] === "^") {
      result += "^";
      this.#at++;
    }
    const first = this.#at;
    while (this.#source[this.#at] !== "]" || this.#at === first) {
      const rest = this.#source.slice(this.#at);
      if (rest === "") throw new PatternError("a class without its ]");
      if (rest[0] === "[" || rest.startsWith("&&")) throw new PatternError(`"${rest.slice(0, 2)}" inside a class`);
      if (rest[0] === "]") throw new PatternError("an empty class");
      if (rest[0] === "\\") result += this.#escape();
      else {
        const character = String.fromCodePoint(rest.codePointAt(0)!);
        result += character;
        this.#at += character.length;
      }
    }
    this.#at++;
    return `${result}]`;
  }
}

/**
 * Translates a pattern: white space and digits become Unicode's, groups stop capturing, possessive repeats become
 * lookaheads.
 *
 * @param source Pattern for Oniguruma, as `tokenizer.json` holds it.
 * @returns Global pattern that matches the same texts.
 * @throws {PatternError} If a part of it has no equal here.
 */
export function translatePattern(source: string): RegExp {
  const translated = new Translation(source).whole();
  try {
    return new RegExp(translated, "gu");
  } catch (cause) {
    throw new PatternError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * A pattern that finds a text as it stands.
 *
 * @param text Any text.
 * @returns Global pattern.
 */
export function literalPattern(text: string): RegExp {
  return new RegExp(escapeLiteral(text), "g");
}

/**
 * Writes a text so that a pattern takes it literally.
 *
 * @param text Any text.
 * @returns Source of a pattern.
 */
export function escapeLiteral(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
