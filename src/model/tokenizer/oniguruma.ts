/**
 * Regular expressions of `tokenizer.json`, which are written for Oniguruma. The library carries them over to JavaScript;
 * here is what it would carry over wrongly: what can be written otherwise is, the rest is refused.
 *
 * @module
 */

import { SplitPreTokenizer } from "@huggingface/tokenizers";

/** A pattern that cannot be carried over; the message says what was found. */
export class PatternError extends Error {}

/** Escapes that mean the same once carried over: categories and scripts by name, code points, classes, literals. */
const ESCAPE = String.raw`\\(?:[pP]\{\^?[\w=]+\}|x\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|` +
  String.raw`[sSdDnrtfv]|[^0-9A-Za-z])`;
const CLASS = String.raw`\[\^?(?!\])(?:${ESCAPE}|(?!&&)[^\\\[\]])+\]`;

/** The parts of a pattern: one character with a possessive repeat perhaps, the start of a group, or anything else. */
const PART = new RegExp(
  String
    .raw`(?<single>${ESCAPE}|${CLASS}|[^\\\[()*+?{|^$])(?:(?<possessive>[*+?])\+)?|\((?:\?(?:[:=!]|<[=!]|i:))?(?!\?)|[^]`,
  "gu",
);

/** What is refused where a pattern goes on with it, and its name. */
const REFUSED: readonly [RegExp, (...found: string[]) => string][] = [
  [/^\\$/u, () => "a backslash at the end"],
  [new RegExp(String.raw`^(?:\[(?:${ESCAPE}|[^\\\]])*)?(\\[0-9A-Za-z])`, "u"), (_, escape) => `the escape ${escape}`],
  [/^\[\^?\]/u, () => "an empty class"],
  [new RegExp(String.raw`^\[(?:${ESCAPE}|[^\\\]])+?(\[.|&&)`, "su"), (_, inside) => `"${inside}" inside a class`],
  [/^\[/u, () => "a class without its ]"],
  [/^[$^]/u, (anchor) => `the anchor ${anchor}`],
  [/^\(\?.{0,2}/su, (group) => `the group "${group}"`],
  [/^\)([*+?]\+)/u, (_, repeat) => `the possessive repeat of a group "${repeat}"`],
  // Behind an interval, + repeats once more instead of making it possessive, and ? makes it optional.
  [/^\{\d+(?:,\d*)?\}[+?]/u, (repeat) => `the repeat "${repeat}"`],
];

/**
 * Writes a pattern so that the library carries it over exactly. It drops what makes a repeat possessive, folds only ASCII
 * where case is not regarded, and does not know how Oniguruma negates a property.
 *
 * @param source Pattern as `tokenizer.json` holds it.
 * @returns Pattern with the same matches.
 * @throws {PatternError} If a part of it has no equal.
 */
export function repairPattern(source: string): string {
  let lookaheads = 0;
  return source.replace(PART, (part, single?: string, possessive?: string, ...rest: unknown[]) => {
    const onward = source.slice(rest.find((value) => typeof value === "number"));
    for (const [pattern, name] of single === undefined && part.length === 1 ? REFUSED : []) {
      const found = pattern.exec(onward);
      if (found !== null) throw new PatternError(name(...found));
    }
    // The library leaves this spelling alone, and the engine folds case as Unicode does.
    if (part === "(?i:") return "(?i-:";
    const written = (single ?? part).replace(/\\([pP])\{\^/gu, (_, kind) => kind === "p" ? "\\P{" : "\\p{");
    if (possessive === undefined) return written;
    // A lookahead is never entered again: what it took stays taken.
    const name = `possessive${lookaheads++}`;
    return `(?=(?<${name}>${written}${possessive}))\\k<${name}>`;
  });
}

/**
 * Carries a pattern over.
 *
 * @param source Pattern as `tokenizer.json` holds it.
 * @returns Global pattern that matches the same texts.
 * @throws {PatternError} If a part of it has no equal here.
 */
export function translatePattern(source: string): RegExp {
  const pattern = { Regex: repairPattern(source) };
  try {
    return new SplitPreTokenizer({ type: "Split", pattern, behavior: "Isolated", invert: false }).pattern!;
  } catch (cause) {
    throw new PatternError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
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
