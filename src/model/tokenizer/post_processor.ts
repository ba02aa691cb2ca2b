/**
 * What happens to the tokens of a text: spaces leave their ranges, and the library's template puts special tokens on
 * either side.
 *
 * @module
 */

import { TemplateProcessingPostProcessor } from "@huggingface/tokenizers";
import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";

import type { Offset } from "./placed_text.ts";
import { listSteps, quote, type Step, unsupported } from "./steps.ts";

/** A token with its place in the text. */
export interface PlacedToken {
  /** Id in the vocabulary. */
  readonly id: number;
  /** Spelling; of an added token what stood in the text, with the white space that it took. */
  readonly token: string;
  /** Range of the text; [0, 0] for a token that the template put there. */
  readonly offset: Offset;
}

/** Works on the tokens of a whole text. */
export type PostProcessor = (tokens: PlacedToken[], text: string, addSpecialTokens: boolean) => PlacedToken[];

const byteLevelSchema = z.looseObject({
  add_prefix_space: z.boolean().default(true),
  trim_offsets: z.boolean().default(true),
});

const sideSchema = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.literal("A") }) }),
]);
const templateSchema = z.looseObject({
  single: z.array(sideSchema),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.int().min(0)) })),
});

/** How the byte-level alphabet spells a space; the mark at the front of most words. */
const SPACE_MARK = "\u0120";

const SPACES = new RegExp(`^(?:${SPACE_MARK}|\\p{White_Space})*`, "u");
const SPACES_AT_END = new RegExp(`(?:${SPACE_MARK}|\\p{White_Space})*$`, "u");

/** The place some characters behind a place of a text, at most `limit`. */
function forward(text: string, from: number, characters: number, limit: number): number {
  let at = from;
  for (let i = 0; i < characters && at < limit; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return Math.min(at, limit);
}

/** The place some characters before a place of a text; null where there are not as many. */
function backward(text: string, from: number, characters: number): number | null {
  let at = from;
  for (let i = 0; i < characters; i++) at -= at > 1 && text.codePointAt(at - 2)! > 0xffff ? 2 : 1;
  return at < 0 ? null : at;
}

/**
 * Leaves the spaces at both ends of a token out of its range: as many characters as the token has space marks.
 *
 * @param text The original text.
 * @param placed Token with its range.
 * @param keepFirst Whether the range keeps a single space in front, which the tokenizer may have put there.
 * @returns The range without them.
 */
export function trimOffset(text: string, { token, offset: [start, end] }: PlacedToken, keepFirst: boolean): Offset {
  const spaces = SPACES.exec(token)![0].length;
  const leading = keepFirst && spaces === 1 ? 0 : spaces;
  const trailing = SPACES_AT_END.exec(token)![0].length;
  const first = forward(text, start, leading, end);
  return [first, Math.max(backward(text, end, trailing) ?? end, first)];
}

function makeTrim(path: string, step: Step): PostProcessor {
  const { add_prefix_space: prefix, trim_offsets: trims } = validateJson(path, step, byteLevelSchema);
  if (!trims) return (tokens) => tokens;
  return (tokens, text) =>
    tokens.map((placed, i) => ({
      ...placed,
      offset: trimOffset(text, placed, prefix && (i === 0 || placed.offset[0] === 0)),
    }));
}

/** Stands for the text in the template; no token is spelled so. */
const TEXT = "\0text\0";

function makeTemplate(path: string, step: Step, tokenOf: (id: number) => string | undefined): PostProcessor {
  const { single, special_tokens: special } = validateJson(path, step, templateSchema);
  const known = new Map(Object.entries(special));
  // The library is asked once what it puts on either side of a text; ids it looks up by name, the reference in the file.
  const library = new TemplateProcessingPostProcessor({
    type: "TemplateProcessing",
    single: single as never,
    pair: [],
  });
  const sides: PlacedToken[][] = [[]];
  for (const name of library.post_process([TEXT]).tokens) {
    if (name === TEXT) {
      sides.push([]);
      continue;
    }
    const ids = known.get(name)?.ids;
    if (ids === undefined) {
      throw unsupported(path, `a template with the token ${quote(name)}`, "it among its special_tokens");
    }
    for (const id of ids) {
      const token = tokenOf(id);
      if (token === undefined) throw unsupported(path, `a template with the id ${id}`, "ids of the vocabulary");
      sides.at(-1)!.push({ id, token, offset: [0, 0] });
    }
  }
  const [before, after] = sides;
  if (before === undefined || after === undefined || sides.length > 2) {
    throw unsupported(path, `a template with the text ${sides.length - 1} times`, "it once");
  }
  return (tokens, _text, addSpecialTokens) => addSpecialTokens ? [...before, ...tokens, ...after] : tokens;
}

/**
 * Makes the post-processor of a tokenizer.
 *
 * @param path File of the tokenizer, for messages.
 * @param root Its `post_processor`, or null.
 * @param tokenOf Spelling of an id, or undefined.
 * @returns The post-processor; it changes nothing where the file has none.
 * @throws {FileError} If a step is not reproduced exactly, or a template names a token that is not there.
 */
export function makePostProcessor(
  path: string,
  root: Step | null,
  tokenOf: (id: number) => string | undefined,
): PostProcessor {
  const steps = listSteps(path, "post_processor", root, ["ByteLevel", "TemplateProcessing"])
    .map((step) => step.type === "ByteLevel" ? makeTrim(path, step) : makeTemplate(path, step, tokenOf));
  return (tokens, text, addSpecialTokens) => steps.reduce((done, step) => step(done, text, addSpecialTokens), tokens);
}
