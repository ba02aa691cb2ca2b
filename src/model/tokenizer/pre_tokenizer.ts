/**
 * How a text is split into the words that are encoded one by one: by the library, after steps were written so that it
 * does them as the reference does, and with the place of every word.
 *
 * @module
 */

import {
  ByteLevelPreTokenizer,
  type MetaspacePreTokenizer,
  type PreTokenizer as LibraryStep,
  SequencePreTokenizer,
  SplitPreTokenizer,
} from "@huggingface/tokenizers";
import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { escapeLiteral } from "./oniguruma.ts";
import { type PlacedText, utf8Length } from "./placed_text.ts";
import { isolate, repairSplit, splitBefore } from "./split.ts";
import { listSteps, type Step, unsupported } from "./steps.ts";

/** GPT-2's split. The library's own copy of it has JavaScript's white space, its translation of patterns Unicode's. */
const BYTE_LEVEL_SPLIT = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * Numbers as Rust's `char::is_numeric` has them; the library splits at those of ASCII. Two blocks of digits are younger
 * than the engine's tables.
 */
const NUMERIC = "[\\p{N}\\x{11de0}-\\x{11de9}\\x{16ff4}-\\x{16ff6}]";

const digitsSchema = z.looseObject({ individual_digits: z.boolean().default(false) });
const byteLevelSchema = z.looseObject({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});
const metaspaceSchema = z.looseObject({
  replacement: z.string().refine((text) => [...text].length === 1, "wanted one character"),
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().default(true),
});

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

const metaspace = (replacement: string, scheme: string): Step => ({
  type: "Metaspace",
  replacement,
  prepend_scheme: scheme,
});

function repairStep(path: string, step: Step, prefix: boolean): Step[] {
  if (step.type === "Split") return [repairSplit(path, step)];
  if (step.type === "Digits") {
    const { individual_digits: individual } = validateJson(path, step, digitsSchema);
    return [isolate(individual ? NUMERIC : `${NUMERIC}+`)];
  }
  if (step.type === "Metaspace") {
    const { replacement, scheme, split } = prependScheme(path, step);
    const marks = metaspace(replacement, prefix ? scheme : "never");
    // The library leaves out the split.
    return split ? [marks, splitBefore(escapeLiteral(replacement))] : [marks];
  }
  const { add_prefix_space: asked, use_regex: splits } = validateJson(path, step, byteLevelSchema);
  return [
    ...(asked && prefix ? [metaspace(" ", "always")] : []),
    ...(splits ? [isolate(BYTE_LEVEL_SPLIT)] : []),
    { type: "ByteLevel", add_prefix_space: false, use_regex: false },
  ];
}

/** Splits a section of a text. */
export type PreTokenizer = (section: PlacedText) => PlacedText[];

/** Keeps the matches of a split among its pieces, or the others. */
function makeFilter({ pattern, config }: SplitPreTokenizer): (pieces: PlacedText[], text: string) => PlacedText[] {
  const { keeps } = config as { keeps?: string };
  if (keeps === "all") return (pieces) => pieces;
  const here = new RegExp(pattern!, "uy");
  return (pieces, text) => {
    let at = 0;
    return pieces.filter((piece) => {
      here.lastIndex = at;
      at += piece.text.length;
      return (here.test(text) && here.lastIndex === at) === (keeps === "matches");
    });
  };
}

/** Finds the places of the pieces that a step of the library gives. */
function placeStep(step: LibraryStep): PreTokenizer {
  if (step instanceof SplitPreTokenizer) {
    const filter = makeFilter(step);
    return (word) => filter(word.cut(step.pre_tokenize_text(word.text)), word.text);
  }
  if (step instanceof ByteLevelPreTokenizer) {
    return (word) => [word.respell(step.pre_tokenize_text(word.text)[0]!, utf8Length)];
  }
  const { replacement } = step as MetaspacePreTokenizer;
  const length = (character: string): number => character === " " ? replacement.length : character.length;
  return (word) => {
    const [text] = step.pre_tokenize_text(word.text, { section_index: word.range(0, 1)[0] });
    return [word.respell(text!, length)];
  };
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
  const repaired = listSteps(path, "pre_tokenizer", root, ["ByteLevel", "Digits", "Metaspace", "Split"])
    .flatMap((step) => repairStep(path, step, prefix));
  const library = new SequencePreTokenizer({ type: "Sequence", pretokenizers: repaired as never });
  const steps = library.tokenizers.map((step) => placeStep(step!));
  return (section) => steps.reduce((words, step) => words.flatMap(step), [section]);
}
