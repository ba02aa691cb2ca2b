/**
 * Whether a generated text is the answer looked for, and which wording of a question got it.
 *
 * @module
 */

/** What stands before the answer in a chain of thought. */
const ANSWER_MARK = "Answer:";

/** How well an answer matches. */
export interface AnswerMatch {
  /** Whether it is one of the answers looked for. */
  readonly exact: boolean;
  /** Whether one of them stands in it, as whole words. */
  readonly contains: boolean;
}

/** How the wordings of one question did together. */
export interface QuestionMatch extends AnswerMatch {
  /** First wording with an exact match, from 0, or null. */
  readonly exactAt: number | null;
  /** First wording whose answer contains a match, from 0, or null. */
  readonly containsAt: number | null;
}

/**
 * Brings an answer to the form in which answers are compared: first line, NFKC, case folded, single spaces, no
 * punctuation at the end.
 *
 * @param text Generated text or answer looked for.
 * @returns The form to compare; empty where nothing is left.
 */
export function normalizeAnswer(text: string): string {
  const line = text.trim().split("\n", 1)[0].normalize("NFKC");
  // Upper case first spells out letters such as the German sharp s; the two Greek small sigmas are one letter.
  const folded = line.toUpperCase().toLowerCase().replaceAll("\u03c2", "\u03c3").normalize("NFKC");
  return folded.replace(/\s+/g, " ").replace(/[\p{P}\s]+$/u, "").trim();
}

/**
 * Takes the answer out of a chain of thought.
 *
 * @param text Generated thoughts, with `Answer:` before the answer.
 * @returns The rest of the line after the first `Answer:`, or null where there is none.
 */
export function chainOfThoughtAnswer(text: string): string | null {
  const start = text.indexOf(ANSWER_MARK);
  if (start === -1) return null;
  return text.slice(start + ANSWER_MARK.length).split("\n", 1)[0].trim();
}

/** Whether `part` stands in `whole` with no letter or digit on either side. */
function containsWords(whole: string, part: string): boolean {
  const inWord = /[\p{L}\p{N}]/u;
  for (let at = whole.indexOf(part); at !== -1; at = whole.indexOf(part, at + 1)) {
    const before = [...whole.slice(0, at)].at(-1) ?? "";
    const after = [...whole.slice(at + part.length)][0] ?? "";
    if (!inWord.test(before) && !inWord.test(after)) return true;
  }
  return false;
}

/**
 * Compares one generated answer with the answers looked for.
 *
 * @param answer Generated text.
 * @param wanted The answer and its aliases; one is enough.
 * @returns Whether it is one of them and whether one stands in it; an exact match counts as both.
 */
export function matchAnswer(answer: string, wanted: readonly string[]): AnswerMatch {
  const found = normalizeAnswer(answer);
  const forms = wanted.map(normalizeAnswer).filter((form) => form !== "");
  return { exact: forms.includes(found), contains: forms.some((form) => containsWords(found, form)) };
}

/**
 * Scores a multi-hop question as MQuAKE does: one right wording is enough.
 *
 * @param answers Generated answer to each wording.
 * @param wanted The answer and its aliases.
 * @returns Whether any wording was right, and which was the first.
 */
export function matchQuestions(answers: readonly string[], wanted: readonly string[]): QuestionMatch {
  const matches = answers.map((answer) => matchAnswer(answer, wanted));
  const first = (right: (match: AnswerMatch) => boolean): number | null => {
    const at = matches.findIndex(right);
    return at === -1 ? null : at;
  };
  const exactAt = first((match) => match.exact);
  const containsAt = first((match) => match.contains);
  return { exact: exactAt !== null, contains: containsAt !== null, exactAt, containsAt };
}
