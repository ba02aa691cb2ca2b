/**
 * Requests to edit: what a user may write, and the one form that everything behind works on.
 *
 * @module
 */

import { z } from "zod";
import { readJsonFile } from "../checkpoint/json_file.ts";
import { asContinuation, countSlots, fillTemplate, SUBJECT_SLOT } from "./prompt_forms.ts";

/** A wish to have a prompt answered in another way. */
export interface EditRequest {
  /** Prompt with one `{}` where the subject stands; a finished prompt with the subject in it once is taken too. */
  readonly prompt: string;
  /** Subject whose fact changes. */
  readonly subject: string;
  /** Answer wanted from now on; white space around it does not count. */
  readonly target: string;
}

const REWRITE = z.object({ prompt: z.string(), subject: z.string(), target_new: z.object({ str: z.string() }) })
  .transform(({ prompt, subject, target_new }): EditRequest => ({ prompt, subject, target: target_new.str }));
const PLAIN = z.object({ prompt: z.string(), subject: z.string(), target: z.string() });

/** One entry may hold several requests: an MQuAKE case rewrites up to as many facts as it has hops. */
const ENTRY = z.union([
  PLAIN.transform((request): EditRequest[] => [request]),
  REWRITE.transform((request): EditRequest[] => [request]),
  z.object({ requested_rewrite: z.union([z.array(REWRITE), REWRITE.transform((request) => [request])]) })
    .transform(({ requested_rewrite }): EditRequest[] => requested_rewrite),
], { error: "wanted {prompt, subject, target}, or a CounterFact or MQuAKE record" });

const REQUESTS_FILE = z.array(ENTRY).min(1, "wanted at least one request");

/** The template of a finished prompt: the subject's only occurrence becomes the slot. */
function templateOf(prompt: string, subject: string): string {
  const quoted = JSON.stringify(prompt);
  const slots = countSlots(prompt);
  if (slots > 1) {
    throw new TypeError(`Cannot use prompt ${quoted}: found ${slots} of {}, wanted one, where the subject stands`);
  }
  if (slots === 1) return prompt;
  const found = prompt.split(subject).length - 1;
  if (found !== 1) {
    const count = found === 0 ? "not in it" : `in it ${found} times`;
    throw new TypeError(
      `Cannot tell where the subject stands in ${quoted}: there is no {}, and ${
        JSON.stringify(subject)
      } is ${count}; ` +
        `write ${SUBJECT_SLOT} in its place`,
    );
  }
  return prompt.replace(subject, () => SUBJECT_SLOT);
}

/**
 * Brings a request to its one form: prompt with `{}`, no white space around any part.
 *
 * @param request What the user wrote.
 * @returns The same request with a template as prompt.
 * @throws {TypeError} If a part is empty, or the place of the subject cannot be told.
 */
export function normalizeRequest(request: EditRequest): EditRequest {
  const prompt = request.prompt.trim();
  const subject = request.subject.trim();
  const target = request.target.trim();
  for (const [part, text, example] of [["prompt", prompt, "The capital of {} is"], ["subject", subject, "France"]]) {
    if (text === "") throw new TypeError(`Cannot edit with an empty ${part}: wanted text, for example "${example}"`);
  }
  const template = templateOf(prompt, subject);
  if (target === "") {
    throw new TypeError(
      `Cannot edit ${JSON.stringify(fillTemplate(template, subject))} to an empty target: wanted the new answer`,
    );
  }
  return { prompt: template, subject, target };
}

/**
 * Brings requests to their one form and refuses sets that no model can satisfy.
 *
 * @param requests What the user wrote, at least one.
 * @param factOf Names what a template asks for, so that two wordings of a relation count as one; the template itself
 * by default.
 * @returns The requests in their one form and in the same order.
 * @throws {TypeError} If one is malformed, two are the same, or two want different answers for one fact.
 */
export function normalizeRequests(
  requests: readonly EditRequest[],
  factOf: (template: string) => string = (template) => template,
): EditRequest[] {
  if (requests.length === 0) throw new TypeError("Cannot edit with no request: wanted at least one");
  const seen = new Map<string, { number: number; request: EditRequest }>();
  return requests.map((given, i) => {
    const request = normalizeRequest(given);
    const key = JSON.stringify([factOf(request.prompt), request.subject]);
    const before = seen.get(key);
    if (before !== undefined) {
      const pair = `requests ${before.number} (${showRequest(before.request)}) and ${i + 1} (${showRequest(request)})`;
      throw new TypeError(
        before.request.target === request.target
          ? `Cannot edit the same fact twice: ${pair} are duplicates; remove one`
          : `Cannot satisfy both ${pair}: they want different answers for one fact; remove one`,
      );
    }
    seen.set(key, { number: i + 1, request });
    return request;
  });
}

/**
 * Writes a request on one line.
 *
 * @param request Request in its one form.
 * @returns For example `"The capital of France is" -> " Berlin"`.
 */
export function showRequest(request: EditRequest): string {
  const prompt = JSON.stringify(fillTemplate(request.prompt, request.subject));
  return `${prompt} -> ${JSON.stringify(asContinuation(request.target))}`;
}

/**
 * Makes the error for a target that the model gives already; only a caller with a model can tell.
 *
 * @param request Request in its one form.
 * @returns The error to throw.
 */
export function presentAnswerError(request: EditRequest): TypeError {
  return new TypeError(
    `Cannot edit ${showRequest(request)}: the model gives this answer already; choose another target`,
  );
}

/**
 * Reads a file of requests: an array of {@linkcode EditRequest}, of `requested_rewrite` records, or of whole
 * CounterFact or MQuAKE cases.
 *
 * @param path JSON file.
 * @returns The requests as they were written, cases with several rewrites flattened.
 * @throws {FileError} If the file cannot be read or has another form.
 */
export async function readRequests(path: string): Promise<EditRequest[]> {
  return (await readJsonFile<EditRequest[][]>(path, REQUESTS_FILE)).flat();
}
