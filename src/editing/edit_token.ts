import { answerTokens } from "../attribution/answer_tokens.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { asContinuation, fillTemplate, SUBJECT_SLOT } from "./prompt_forms.ts";

/** Where an edit acts: at the last token of the subject, or at the last token of the prompt. */
export type EditToken = "subject_last" | "last";

/**
 * Position of the edit token in the filled prompt.
 *
 * `subject_last` is the last token whose characters meet the subject, found by offsets in the whole text; splitting the
 * text first would count tokens wrongly where a tokenizer merges across the border.
 *
 * @param template Prompt with one `{}`.
 */
export function editPosition(tokenizer: Tokenizer, template: string, subject: string, token: EditToken): number {
  const text = fillTemplate(template, subject);
  const { offsets } = tokenizer.encodeWithOffsets(text);
  if (token === "last") return offsets.length - 1;
  const begin = template.indexOf(SUBJECT_SLOT);
  const end = begin + subject.length;
  return offsets.findLastIndex(([from, to]) => from < end && to > begin);
}

/** Token ids of ` target`, the continuation that an edit asks for. */
export function targetIds(tokenizer: Tokenizer, target: string): number[] {
  return answerTokens(tokenizer, asContinuation(target));
}
