/**
 * How a text is split into the words that are encoded one by one.
 *
 * @module
 */

import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { spellByteLevel } from "./byte_level.ts";
import { literalPattern } from "./oniguruma.ts";
import type { PlacedText } from "./placed_text.ts";
import { behaviorSchema, patternOf, patternSchema, split } from "./split.ts";
import { listSteps, type Step, unsupported } from "./steps.ts";

/** Splits a section of a text. */
export type PreTokenizer = (section: PlacedText) => PlacedText[];

/** GPT-2's split with Unicode's white space; JavaScript's `\s` has U+FEFF and lacks U+0085, Unicode's is the other way round. */
const BYTE_LEVEL_SPLIT =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Numbers as Rust's `char::is_numeric` has them: two blocks of digits are younger than the engine's tables. */
const NUMERIC = /[\p{N}\u{11de0}-\u{11de9}\u{16ff4}-\u{16ff6}]/gu;

const digitsSchema = z.looseObject({ individual_digits: z.boolean().default(false) });
const byteLevelSchema = z.looseObject({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});
const splitSchema = z.looseObject({
  pattern: patternSchema,
  behavior: behaviorSchema,
  invert: z.boolean().default(false),
});
const metaspaceSchema = z.looseObject({
  replacement: z.string().refine((text) => [...text].length === 1, "wanted one character"),
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().default(true),
});

function makeByteLevel(path: string, step: Step, prefix: boolean): PreTokenizer {
  const { add_prefix_space: asked, use_regex: useRegex } = validateJson(path, step, byteLevelSchema);
  return (section) => {
    const text = prefix && asked && !section.text.startsWith(" ") ? section.prepend(" ") : section;
    const words = useRegex ? split(text, BYTE_LEVEL_SPLIT, "Isolated") : [text];
    return words.map((word) => word.respell(spellByteLevel));
  };
}

/** Reads when a metaspace step writes a mark in front; an older spelling says only whether. */
export function prependScheme(path: string, step: Step): { replacement: string; scheme: string; split: boolean } {
  const { replacement, prepend_scheme: scheme, add_prefix_space: prefix, split } = validateJson(
    path,
    step,
    metaspaceSchema,
  );
  if (prefix === false && scheme !== undefined && scheme !== "never") {
    throw unsupported(path, `a Metaspace with add_prefix_space false and prepend_scheme ${scheme}`, "one of the two");
  }
  return { replacement, scheme: scheme ?? (prefix === false ? "never" : "always"), split };
}

function makeMetaspace(path: string, step: Step, prefix: boolean): PreTokenizer {
  const { replacement, scheme, split: splits } = prependScheme(path, step);
  const mark = literalPattern(replacement);
  return (section) => {
    let text = section.replace(/ /g, replacement);
    const bare = prefix && !text.text.startsWith(replacement);
    if (bare && (scheme === "always" || (scheme === "first" && text.range(0, 1)[0] === 0))) {
      text = text.prepend(replacement);
    }
    return splits ? split(text, mark, "MergedWithNext") : [text];
  };
}

function makeStep(path: string, step: Step, prefix: boolean): PreTokenizer {
  if (step.type === "ByteLevel") return makeByteLevel(path, step, prefix);
  if (step.type === "Metaspace") return makeMetaspace(path, step, prefix);
  if (step.type === "Digits") {
    const { individual_digits: individual } = validateJson(path, step, digitsSchema);
    return (section) => split(section, NUMERIC, individual ? "Isolated" : "Contiguous");
  }
  const { pattern, behavior, invert } = validateJson(path, step, splitSchema);
  const compiled = patternOf(path, pattern);
  return (section) => split(section, compiled, behavior, invert);
}

/**
 * Makes the pre-tokenizer of a tokenizer.
 *
 * @param path File of the tokenizer, for messages.
 * @param root Its `pre_tokenizer`, or null.
 * @param prefix Whether a space is put in front of a text where the file asks for it; a text that continues another has none.
 * @returns Splits a section that is not empty; a tokenizer without this part leaves sections whole.
 * @throws {FileError} If a step is not reproduced exactly.
 */
export function makePreTokenizer(path: string, root: Step | null, prefix: boolean): PreTokenizer {
  const steps = listSteps(path, "pre_tokenizer", root, ["ByteLevel", "Digits", "Metaspace", "Split"])
    .map((step) => makeStep(path, step, prefix));
  return (section) => steps.reduce((words, step) => words.flatMap(step), [section]);
}
