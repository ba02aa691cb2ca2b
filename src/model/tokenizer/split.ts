/**
 * Splitting a text at a pattern, in the five ways that `tokenizer.json` knows.
 *
 * @module
 */

import { z } from "zod";
import { literalPattern, PatternError, translatePattern } from "./oniguruma.ts";
import type { PlacedText } from "./placed_text.ts";
import { quote, unsupported } from "./steps.ts";

/** A text to be found as it stands, or a regular expression. */
export const patternSchema = z.union([
  z.strictObject({ String: z.string().min(1) }),
  z.strictObject({ Regex: z.string().min(1) }),
]);

/** What becomes of a match: it stands alone, is dropped, joins a neighbour, or joins the matches beside it. */
export const behaviorSchema = z.enum(["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]);

/** What becomes of a match. */
export type SplitBehavior = z.infer<typeof behaviorSchema>;

/**
 * Compiles a pattern of a file.
 *
 * @param path The file, for messages.
 * @param pattern Pattern as the file has it.
 * @returns Global pattern.
 * @throws {FileError} If a regular expression holds what has no equal here.
 */
export function patternOf(path: string, pattern: z.infer<typeof patternSchema>): RegExp {
  if ("String" in pattern) return literalPattern(pattern.String);
  try {
    return translatePattern(pattern.Regex);
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause;
    throw unsupported(path, `${cause.message} in the pattern ${quote(pattern.Regex)}`, "a plain regular expression");
  }
}

interface Range {
  from: number;
  to: number;
  readonly match: boolean;
}

/** The matches of a pattern and what lies between them; `invert` swaps the two. */
function findRanges(text: string, pattern: RegExp, invert: boolean): Range[] {
  const ranges: Range[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (index > done) ranges.push({ from: done, to: index, match: invert });
    done = index + found.length;
    ranges.push({ from: index, to: done, match: !invert });
  }
  if (done < text.length) ranges.push({ from: done, to: text.length, match: invert });
  return ranges;
}

/** Joins each range to the one before it where `joins` says so. */
function fold(ranges: readonly Range[], joins: (range: Range, previous: Range) => boolean): Range[] {
  const folded: Range[] = [];
  for (const [i, range] of ranges.entries()) {
    const last = folded.at(-1);
    if (last !== undefined && joins(range, ranges[i - 1]!)) {
      last.from = Math.min(last.from, range.from);
      last.to = Math.max(last.to, range.to);
    } else folded.push({ ...range });
  }
  return folded;
}

function arrange(ranges: readonly Range[], behavior: SplitBehavior): Range[] {
  const followsOther = (range: Range, previous: Range): boolean => range.match && !previous.match;
  switch (behavior) {
    case "Isolated":
      return [...ranges];
    case "Removed":
      return ranges.filter(({ match }) => !match);
    case "MergedWithPrevious":
      return fold(ranges, followsOther);
    case "MergedWithNext":
      return fold(ranges.toReversed(), followsOther).reverse();
    case "Contiguous":
      return fold(ranges, (range, previous) => range.match === previous.match);
  }
}

/**
 * Splits a text at a pattern.
 *
 * @param text The text.
 * @param pattern Global pattern.
 * @param behavior What becomes of the matches.
 * @param invert Whether what lies between the matches counts as the matches.
 * @returns The pieces, without empty ones.
 */
export function split(text: PlacedText, pattern: RegExp, behavior: SplitBehavior, invert = false): PlacedText[] {
  return arrange(findRanges(text.text, pattern, invert), behavior)
    .filter(({ from, to }) => to > from)
    .map(({ from, to }) => text.slice(from, to));
}
