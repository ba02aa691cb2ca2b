/**
 * What is done to a text before it is split: Unicode normalization, and the space marks of SentencePiece.
 *
 * @module
 */

import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { literalPattern } from "./oniguruma.ts";
import type { PlacedText } from "./placed_text.ts";
import { patternOf, patternSchema } from "./split.ts";
import { listSteps, type Step } from "./steps.ts";
import { toUnicodeForm, type UnicodeForm } from "./unicode_forms.ts";

/** Rewrites a text. */
export type Normalizer = (text: PlacedText) => PlacedText;

const FORMS = ["NFC", "NFD", "NFKC", "NFKD"];

const prependSchema = z.looseObject({ prepend: z.string().min(1) });
const replaceSchema = z.looseObject({ pattern: patternSchema, content: z.string() });

function makeStep(path: string, step: Step): Normalizer {
  if (step.type === "Prepend") {
    const { prepend } = validateJson(path, step, prependSchema);
    return (text) => text.prepend(prepend.toWellFormed());
  }
  if (step.type === "Replace") {
    const { pattern, content } = validateJson(path, step, replaceSchema);
    const compiled = "String" in pattern ? literalPattern(pattern.String) : patternOf(path, pattern);
    return (text) => text.replace(compiled, content.toWellFormed());
  }
  return (text) => toUnicodeForm(text, step.type as UnicodeForm);
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
  const steps = listSteps(path, "normalizer", root, [...FORMS, "Prepend", "Replace"])
    .filter(({ type }) => prefix || type !== "Prepend").map((step) => makeStep(path, step));
  return (text) => steps.reduce((rewritten, step) => step(rewritten), text);
}
