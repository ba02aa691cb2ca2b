/**
 * What a `tokenizer.json` and the files beside it say, checked: BPE, and nothing that would be tokenized differently here.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { z } from "zod";
import { FileError } from "../checkpoint/file_error.ts";
import { isFile } from "../checkpoint/file_kind.ts";
import { readJsonFile, validateJson } from "../checkpoint/json_file.ts";
import type { AddedToken } from "./tokenizer/added_tokens.ts";
import { type BpeModel, BYTE_TOKENS } from "./tokenizer/bpe.ts";
import { quote, type Step, stepSchema, unsupported } from "./tokenizer/steps.ts";

/** Ids are 32-bit words in the format. */
const id = z.int().min(0).max(2 ** 32 - 1);

const modelSchema = z.looseObject({
  type: z.string(),
  vocab: z.unknown().optional(),
  merges: z.array(z.unknown()).optional(),
  merge_ranks: z.array(id).optional(),
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
});

const tokenizerSchema = z.looseObject({
  model: modelSchema,
  normalizer: stepSchema.nullable().default(null),
  pre_tokenizer: stepSchema.nullable().default(null),
  post_processor: stepSchema.nullable().default(null),
  decoder: stepSchema.nullable().default(null),
  added_tokens: z.array(z.looseObject({
    id,
    content: z.string().min(1),
    single_word: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    normalized: z.boolean().default(false),
    special: z.boolean().default(false),
  })).default([]),
});

const markedToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const tokenizerConfigSchema = z.looseObject({ bos_token: markedToken, eos_token: markedToken });
const markedId = z.union([id, z.array(id)]).nullish();
const modelConfigSchema = z.looseObject({ bos_token_id: markedId, eos_token_id: markedId });

/** Checked content of a `tokenizer.json`. */
export interface TokenizerFile {
  /** Vocabulary and merges. */
  readonly model: BpeModel;
  /** What is done to a text first, or null. */
  readonly normalizer: Step | null;
  /** How a text is split before BPE, or null. */
  readonly preTokenizer: Step | null;
  /** What happens to the finished tokens, or null. */
  readonly postProcessor: Step | null;
  /** How tokens become text. */
  readonly decoder: Step | null;
  /** Tokens that are cut out of the text first. */
  readonly addedTokens: readonly AddedToken[];
}

type ParsedModel = z.infer<typeof modelSchema>;

/** A merge as two tokens; an older spelling separates them by a space. */
function pairOf(path: string, merge: unknown): readonly [string, string] {
  const parts = typeof merge === "string" ? merge.split(" ") : merge;
  if (!Array.isArray(parts) || parts.length !== 2 || parts.some((part) => typeof part !== "string")) {
    throw unsupported(path, `the merge ${quote(merge)}`, "two tokens");
  }
  return parts as [string, string];
}

/** Checks ids one by one: a schema of as many keys takes seconds, and drops a token that is named `__proto__`. */
function checkVocabulary(path: string, ids: object): Map<string, number> {
  const vocab = new Map<string, number>();
  const owners = new Map<number, string>();
  for (const [token, value] of Object.entries(ids)) {
    const parsed = id.safeParse(value);
    if (!parsed.success) throw unsupported(path, `the id ${quote(value)} for ${quote(token)}`, "a whole number");
    const other = owners.get(parsed.data);
    if (other !== undefined) {
      throw unsupported(
        path,
        `the id ${value} for ${quote(other)} and for ${quote(token)}`,
        "an id of its own for each",
      );
    }
    owners.set(parsed.data, token);
    vocab.set(token, parsed.data);
  }
  return vocab;
}

function checkModel(path: string, model: ParsedModel): BpeModel {
  const { type, vocab: ids, merges: listed, unk_token: unknown } = model;
  if (type !== "BPE") throw unsupported(path, `a tokenizer of type ${type}`, "type BPE");
  if (typeof ids !== "object" || ids === null || Array.isArray(ids) || listed === undefined) {
    throw unsupported(path, "a model without a vocab or merges", "a map from token to id and a list of merges");
  }
  if (model.dropout) throw unsupported(path, `a dropout of ${model.dropout}`, "none: its tokens are random");
  if (model.end_of_word_suffix || model.continuing_subword_prefix) {
    throw unsupported(path, "affixes of words or parts of words", "plain tokens");
  }
  const vocab = checkVocabulary(path, ids);
  if (unknown && !vocab.has(unknown)) {
    throw unsupported(path, `the unknown token ${quote(unknown)} outside the vocabulary`, "it inside");
  }
  const merges = listed.filter((merge) => typeof merge !== "string" || !merge.startsWith("#version"))
    .map((merge) => pairOf(path, merge));
  for (const [left, right] of merges) {
    const missing = [left, right, left + right].find((token) => !vocab.has(token));
    if (missing === undefined) continue;
    throw unsupported(
      path,
      `a merge of ${quote(left)} and ${quote(right)} without ${quote(missing)} in the vocabulary`,
      "all three",
    );
  }
  const outside = new Set(model.byte_fallback ? BYTE_TOKENS : []);
  if (unknown) outside.add(unknown);
  const impure = merges.flat().find((token) => outside.has(token));
  if (impure !== undefined) {
    throw unsupported(path, `a merge of ${quote(impure)}, which stands for unknown characters`, "merges of known ones");
  }
  if (model.merge_ranks !== undefined && model.merge_ranks.length !== merges.length) {
    throw unsupported(path, `${model.merge_ranks.length} ranks for ${merges.length} merges`, "one for each");
  }
  return {
    vocab,
    merges,
    mergeRanks: model.merge_ranks ?? null,
    unknown: unknown || null,
    fuseUnknown: model.fuse_unk,
    byteFallback: model.byte_fallback,
    ignoreMerges: model.ignore_merges,
  };
}

/** The reference numbers added tokens itself: by the vocabulary, else behind all others. A file that says otherwise is refused. */
function checkAddedTokens(path: string, vocab: ReadonlyMap<string, number>, added: readonly AddedToken[]): void {
  const seen = new Map<string, number>();
  let next = vocab.size;
  for (const { id, content } of added) {
    const wanted = vocab.get(content) ?? seen.get(content) ?? next;
    if (wanted !== id) {
      throw unsupported(path, `the id ${id} for the added token ${quote(content)}`, `${wanted} by its vocabulary`);
    }
    seen.set(content, id);
    next = Math.max(next, id + 1);
  }
}

/**
 * Checks the content of a `tokenizer.json`.
 *
 * @param path Where it is from, for messages.
 * @param json Parsed file. Beyond the format, `model.merge_ranks` may give merges equal ranks, as SentencePiece has them.
 * @returns The content.
 * @throws {FileError} If it is broken, or describes a model that would not be reproduced exactly.
 */
export function checkTokenizerFile(path: string, json: unknown): TokenizerFile {
  const file = validateJson(path, json, tokenizerSchema);
  const model = checkModel(path, file.model);
  checkAddedTokens(path, model.vocab, file.added_tokens);
  return {
    model,
    normalizer: file.normalizer,
    preTokenizer: file.pre_tokenizer,
    postProcessor: file.post_processor,
    decoder: file.decoder,
    addedTokens: file.added_tokens,
  };
}

/**
 * Reads a `tokenizer.json`.
 *
 * @param path The file.
 * @returns Parsed, not yet checked.
 * @throws {FileError} If it is missing or no JSON.
 */
export async function readTokenizerJson(path: string): Promise<unknown> {
  if (!await isFile(path)) {
    const folder = dirname(path);
    throw new FileError(
      path,
      `Cannot read ${path}: there is no such file; fetch tokenizer.json of the model into ${folder}, or convert an older ` +
        `tokenizer with Python: AutoTokenizer.from_pretrained(${quote(folder)}).save_pretrained(${quote(folder)})`,
    );
  }
  return await readJsonFile(path, z.unknown());
}

/** Ids of the tokens that begin and end a text. */
export interface MarkedIds {
  /** Beginning of a text, or null. */
  readonly bosId: number | null;
  /** End of a text, or null. */
  readonly eosId: number | null;
}

/**
 * Finds the begin and end tokens beside a `tokenizer.json`: `tokenizer_config.json` first, then `config.json`.
 *
 * @param path The `tokenizer.json`.
 * @param idOf Id of a token text, or null.
 * @returns The ids; null where neither file names one.
 * @throws {FileError} If one of the two files is there but broken.
 */
export async function readMarkedIds(path: string, idOf: (token: string) => number | null): Promise<MarkedIds> {
  const dir = dirname(path);
  const tokenizerConfig = join(dir, "tokenizer_config.json");
  const modelConfig = join(dir, "config.json");
  const texts = await isFile(tokenizerConfig) ? await readJsonFile(tokenizerConfig, tokenizerConfigSchema) : {};
  const ids = await isFile(modelConfig) ? await readJsonFile(modelConfig, modelConfigSchema) : {};
  const choose = (token: z.infer<typeof markedToken>, known: z.infer<typeof markedId>): number | null => {
    const text = typeof token === "string" ? token : token?.content;
    const named = text === undefined ? null : idOf(text);
    return named ?? (Array.isArray(known) ? known[0] : known) ?? null;
  };
  return { bosId: choose(texts.bos_token, ids.bos_token_id), eosId: choose(texts.eos_token, ids.eos_token_id) };
}
