/**
 * What a folder says about its tokenizer, checked: byte-level BPE, and nothing that would be tokenized differently here.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { z } from "zod";
import { FileError } from "../checkpoint/file_error.ts";
import { readJsonFile } from "../checkpoint/json_file.ts";

const id = z.number().int().min(0);
const part = z.looseObject({ type: z.string() });

const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.string(),
    vocab: z.union([z.record(z.string(), id), z.array(z.unknown())]).optional(),
    merges: z.array(z.unknown()).optional(),
    continuing_subword_prefix: z.string().nullish(),
    end_of_word_suffix: z.string().nullish(),
    byte_fallback: z.boolean().optional(),
  }),
  normalizer: part.nullable().default(null),
  pre_tokenizer: part.nullable().default(null),
  post_processor: part.nullable().default(null),
  decoder: part.nullable().default(null),
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

/** One step of a tokenizer as its file describes it; a `Sequence` holds further steps. */
export type TokenizerPart = Record<string, unknown> & {
  /** Kind of the step. */
  readonly type: string;
};

/** A token that is cut out of the text before anything else. */
export interface AddedToken {
  /** Id in the vocabulary. */
  readonly id: number;
  /** Its literal text. */
  readonly content: string;
  /** Whether it is looked for after normalization. */
  readonly normalized: boolean;
  /** Whether decoding may leave it out. */
  readonly special: boolean;
}

/** Checked content of a `tokenizer.json`. */
export interface TokenizerFile {
  /** The whole parsed file, as the tokenizer library takes it. */
  readonly json: Record<string, unknown>;
  /** Unicode normalization, or null. */
  readonly normalizer: TokenizerPart | null;
  /** How a text is split before BPE. */
  readonly preTokenizer: TokenizerPart;
  /** What happens to the finished tokens, or null. */
  readonly postProcessor: TokenizerPart | null;
  /** Tokens that are cut out of the text first. */
  readonly addedTokens: readonly AddedToken[];
}

/** Steps that the library does as the reference does, once its white space and digits are repaired. */
const NORMALIZERS = ["NFC", "NFD", "NFKC", "NFKD"];
const PRE_TOKENIZERS = ["ByteLevel", "Digits", "Split"];
const POST_PROCESSORS = ["ByteLevel", "TemplateProcessing"];

/** Keys under which a `Sequence` keeps its steps. */
const STEPS = ["normalizers", "pretokenizers", "processors", "decoders"];

/**
 * Lists the steps of a part of the tokenizer.
 *
 * @param root A step, or null.
 * @returns The steps in order, sequences flattened.
 */
export function flattenPart(root: TokenizerPart | null): TokenizerPart[] {
  if (root === null) return [];
  if (root.type !== "Sequence") return [root];
  return STEPS.flatMap((key) => (root[key] as TokenizerPart[] | undefined) ?? []).flatMap(flattenPart);
}

type ParsedFile = z.infer<typeof tokenizerSchema>;

function checkKinds(path: string, role: string, root: TokenizerPart | null, known: readonly string[]): void {
  for (const { type } of flattenPart(root)) {
    if (known.includes(type)) continue;
    throw new FileError(
      path,
      `Cannot use ${path}: found the ${role} ${type}, wanted ${known.join(", ")} or a Sequence of them; ` +
        `take a model with a byte-level BPE tokenizer`,
    );
  }
}

function checkModel(path: string, file: ParsedFile): void {
  const { type, vocab, merges, byte_fallback: fallback, end_of_word_suffix: suffix } = file.model;
  const unsupported = (found: string, wanted: string): FileError =>
    new FileError(
      path,
      `Cannot use ${path}: found ${found}, wanted ${wanted}; take a model with a byte-level BPE tokenizer`,
    );
  if (type !== "BPE") throw unsupported(`a tokenizer of type ${type}`, "type BPE");
  if (vocab === undefined || Array.isArray(vocab) || merges === undefined) {
    throw unsupported("a model without a vocab or merges", "a map from token to id and a list of merges");
  }
  if (fallback || suffix || file.model.continuing_subword_prefix) {
    throw unsupported("byte fallback or word affixes", "plain byte-level tokens");
  }
  if (!flattenPart(file.pre_tokenizer).some((step) => step.type === "ByteLevel")) {
    throw unsupported("no ByteLevel pre_tokenizer", "one");
  }
  const odd = file.added_tokens.find((token) => token.single_word || token.lstrip || token.rstrip);
  if (odd !== undefined) {
    throw unsupported(`the added token "${odd.content}" with single_word, lstrip or rstrip`, "all three false");
  }
}

/**
 * Reads and checks a `tokenizer.json`.
 *
 * @param path The file.
 * @returns Its content.
 * @throws {FileError} If it is missing, broken, or describes a tokenizer that would not be reproduced exactly.
 */
export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const file = await readJsonFile(path, tokenizerSchema);
  checkModel(path, file);
  checkKinds(path, "normalizer", file.normalizer, NORMALIZERS);
  checkKinds(path, "pre_tokenizer", file.pre_tokenizer, PRE_TOKENIZERS);
  checkKinds(path, "post_processor", file.post_processor, POST_PROCESSORS);
  return {
    json: file,
    normalizer: file.normalizer,
    preTokenizer: file.pre_tokenizer!,
    postProcessor: file.post_processor,
    addedTokens: file.added_tokens,
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
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
  const texts = await exists(tokenizerConfig) ? await readJsonFile(tokenizerConfig, tokenizerConfigSchema) : {};
  const ids = await exists(modelConfig) ? await readJsonFile(modelConfig, modelConfigSchema) : {};
  const choose = (token: z.infer<typeof markedToken>, known: z.infer<typeof markedId>): number | null => {
    const text = typeof token === "string" ? token : token?.content;
    const named = text === undefined ? null : idOf(text);
    return named ?? (Array.isArray(known) ? known[0] : known) ?? null;
  };
  return { bosId: choose(texts.bos_token, ids.bos_token_id), eosId: choose(texts.eos_token, ids.eos_token_id) };
}
