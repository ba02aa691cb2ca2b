/**
 * What is done to a text before it is split: Unicode normalization, and the space marks of SentencePiece. The library does
 * it, step by step, so that places are kept.
 *
 * @module
 */

import {
  type Normalizer as Rewriter,
  PrependNormalizer,
  ReplaceNormalizer,
  SequenceNormalizer,
} from "@huggingface/tokenizers";
import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { repairPattern } from "./oniguruma.ts";
import type { PlacedText } from "./placed_text.ts";
import { patternSchema, regexOf } from "./split.ts";
import { listSteps, type Step } from "./steps.ts";
import { toUnicodeForm, type UnicodeNormalizer } from "./unicode_forms.ts";

/** Rewrites a text. */
export type Normalizer = (text: PlacedText) => PlacedText;

const prependSchema = z.looseObject({ prepend: z.string().min(1) });
const replaceSchema = z.looseObject({ pattern: patternSchema, content: z.string() });

function repairStep(path: string, step: Step): Step {
  if (step.type === "Prepend") {
    return { type: "Prepend", prepend: validateJson(path, step, prependSchema).prepend.toWellFormed() };
  }
  if (step.type === "Replace") {
    const { pattern, content } = validateJson(path, step, replaceSchema);
    return { ...step, pattern: { Regex: repairPattern(regexOf(path, pattern)) }, content: content.toWellFormed() };
  }
  return step;
}

/** Does one step of the library and finds the places of what it wrote. */
function placeStep(step: Rewriter, text: PlacedText): PlacedText {
  if (step instanceof ReplaceNormalizer) return text.replace(step.pattern!, step.config.content);
  if (!(step instanceof PrependNormalizer)) return toUnicodeForm(text, step as UnicodeNormalizer);
  return text.text === "" ? text : text.respell(step.normalize(text.text), (character) => character.length);
}

/**
 * Makes the normalizer of a tokenizer.
 *
 * @param path File of the tokenizer, for messages.
 * @param root Its `normalizer`, or null.
 * @param prefix Whether a mark is put in front of a text where the file asks for it; a text that continues another has none.
 * @returns The normalizer; it changes nothing where the file has none.
 * @throws {FileError} If a step is not reproduced exactly.
 */
export function makeNormalizer(path: string, root: Step | null, prefix: boolean): Normalizer {
  const steps = listSteps(path, "normalizer", root, ["NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace"])
    .filter(({ type }) => prefix || type !== "Prepend").map((step) => repairStep(path, step));
  const library = new SequenceNormalizer({ type: "Sequence", normalizers: steps as never });
  return (text) => library.normalizers.reduce((rewritten, step) => placeStep(step!, rewritten), text);
}
