/**
 * Splits of `tokenizer.json`, written anew for the library: it lets matches stand alone or drops them, and takes the other
 * ways of splitting for the first.
 *
 * @module
 */

import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { escapeLiteral, PatternError, repairPattern, translatePattern } from "./oniguruma.ts";
import { quote, type Step, unsupported } from "./steps.ts";

/** A text to be found as it stands, or a regular expression. */
export const patternSchema = z.union([
  z.strictObject({ String: z.string().min(1) }),
  z.strictObject({ Regex: z.string().min(1) }),
]);

const splitSchema = z.looseObject({
  pattern: patternSchema,
  behavior: z.enum(["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]),
  invert: z.boolean().default(false),
});

/** Any character in both dialects. */
const ANY = "[\\s\\S]";

/**
 * Writes a pattern as a regular expression for the library.
 *
 * @param path File of the tokenizer, for messages.
 * @param pattern Pattern as the file has it.
 * @returns Source for the library.
 * @throws {FileError} If a regular expression holds what has no equal here.
 */
export function regexOf(path: string, pattern: z.infer<typeof patternSchema>): string {
  const source = "String" in pattern ? escapeLiteral(pattern.String) : pattern.Regex;
  try {
    translatePattern(source);
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause;
    throw unsupported(path, `${cause.message} in the pattern ${quote(source)}`, "a plain regular expression");
  }
  return source;
}

/** A split at every match of a regular expression, after which all pieces are kept, or only matches, or only the others. */
export function isolate(regex: string, keeps: "all" | "matches" | "others" = "all"): Step {
  return { type: "Split", pattern: { Regex: repairPattern(regex) }, behavior: "Isolated", invert: false, keeps };
}

/** A split where each match takes what follows up to the next. */
export function splitBefore(regex: string): Step {
  const others = `(?:(?!${regex})${ANY})`;
  return isolate(`(?:${regex})${others}*|${others}+`);
}

/**
 * Writes a `Split` step for the library.
 *
 * @param path File of the tokenizer, for messages.
 * @param step The step.
 * @returns A step that splits in the same places.
 * @throws {FileError} If its pattern holds what has no equal here.
 */
export function repairSplit(path: string, step: Step): Step {
  const { pattern, behavior, invert } = validateJson(path, step, splitSchema);
  const regex = regexOf(path, pattern);
  if (behavior === "Isolated") return isolate(regex);
  if (behavior === "Removed") return isolate(regex, invert ? "matches" : "others");
  if (behavior === "Contiguous") return isolate(`(?:${regex})+`);
  if (translatePattern(regex).test("")) {
    throw unsupported(path, `${behavior} with the pattern ${quote(regex)}`, "a pattern that matches no empty text");
  }
  // Inverted, what lies between the matches joins them, which is the other way of merging.
  if ((behavior === "MergedWithNext") !== invert) return splitBefore(regex);
  return isolate(`(?:(?!${regex})${ANY})+(?:${regex})?|(?:${regex})`);
}
