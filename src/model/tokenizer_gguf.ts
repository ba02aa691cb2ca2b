/**
 * The tokenizer of a GGUF file, made from its metadata as the `tokenizer.json` that would describe it.
 *
 * The metadata name a pre-tokenizer and leave its rules to the reader; these are the rules behind the names. Control,
 * unknown and user-defined tokens are cut out of the text as they stand, and where a text gets a space in front, what
 * follows such a token gets one too, as in the readers of this format.
 *
 * @module
 */

import { z } from "zod";
import { FileError, quoteValue } from "../checkpoint/file_error.ts";
import { validateJson } from "../checkpoint/json_file.ts";
import { mergesFromScores } from "./tokenizer/sentence_piece.ts";
import type { Step } from "./tokenizer/steps.ts";
import { Tokenizer } from "./tokenizer.ts";
import type { MarkedIds } from "./tokenizer_file.ts";

const PREFIX = "tokenizer.ggml.";

/** Numbers by which `token_type` says what a token is. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** Longest piece of a SentencePiece vocabulary; it is taken apart at every character. */
const MAX_PIECE = 1000;

const id = z.int().min(0);
const schema = z.looseObject({
  model: z.string(),
  pre: z.string().optional(),
  tokens: z.array(z.string()).min(1),
  scores: z.array(z.number()).optional(),
  token_type: z.array(z.int().min(0).max(BYTE)),
  merges: z.array(z.string()).optional(),
  bos_token_id: id.optional(),
  eos_token_id: id.optional(),
  unknown_token_id: id.optional(),
  add_bos_token: z.boolean().optional(),
  add_eos_token: z.boolean().optional(),
  add_space_prefix: z.boolean().optional(),
  remove_extra_whitespaces: z.boolean().optional(),
});

type Fields = z.infer<typeof schema>;

const byteLevel = (useRegex: boolean): Step => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: false,
  use_regex: useRegex,
});

/** The split that Llama 3 and Qwen 2 share but for the number of digits that stay together. */
function splitWithDigits(digits: string): Step {
  const regex = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
    `\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
  const split = { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
  return { type: "Sequence", pretokenizers: [split, byteLevel(false)] };
}

/** What a name in `tokenizer.ggml.pre` stands for. */
interface PreTokenizerRules {
  readonly preTokenizer: Step;
  readonly normalizer: Step | null;
  /** Whether a word that is a token is taken without merging. */
  readonly ignoreMerges: boolean;
  /** Whether texts begin with the begin token where the file does not say. */
  readonly addBos: boolean;
}

const PLAIN = { normalizer: null, ignoreMerges: false, addBos: false };

const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizerRules> = new Map([
  ["gpt-2", { ...PLAIN, preTokenizer: byteLevel(true) }],
  ["llama-bpe", { ...PLAIN, preTokenizer: splitWithDigits("\\p{N}{1,3}"), ignoreMerges: true, addBos: true }],
  ["qwen2", { ...PLAIN, preTokenizer: splitWithDigits("\\p{N}"), normalizer: { type: "NFC" } }],
  ["smollm", {
    ...PLAIN,
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)],
    },
  }],
]);

/** Numbers of 64 bits and lists of bytes as plain numbers and lists. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return plain(Array.from(value as Uint8Array));
  return Array.isArray(value) && typeof value[0] === "bigint" ? value.map(plain) : value;
}

function fault(path: string, found: string, wanted: string): FileError {
  return new FileError(
    path,
    `Cannot use the tokenizer of ${path}: found ${found}, wanted ${wanted}; fetch the file again or name a tokenizer.json`,
  );
}

function readFields(path: string, metadata: Record<string, unknown>): Fields {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (key.startsWith(PREFIX)) found[key.slice(PREFIX.length)] = plain(value);
  }
  const needed = { tokens: "the vocabulary", model: "its kind", token_type: "one for each token" };
  for (const [key, wanted] of Object.entries(needed)) {
    if (found[key] === undefined) throw fault(path, `no metadata ${PREFIX}${key}`, wanted);
  }
  const fields = validateJson(path, found, schema);
  const count = fields.tokens.length;
  for (const key of ["scores", "token_type"] as const) {
    const length = fields[key]?.length ?? count;
    if (length !== count) throw fault(path, `${length} entries of ${PREFIX}${key} for ${count} tokens`, "one for each");
  }
  for (const key of ["bos_token_id", "eos_token_id", "unknown_token_id"] as const) {
    const id = fields[key];
    if (id !== undefined && id >= count) throw fault(path, `${PREFIX}${key} ${id}`, `an id below ${count}`);
  }
  return fields;
}

function vocabularyOf(path: string, tokens: readonly string[]): Record<string, number> {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const other = ids.get(token);
    if (other !== undefined) throw fault(path, `the token ${quoteValue(token)} at ${other} and at ${id}`, "it once");
    ids.set(token, id);
  }
  return Object.fromEntries(ids);
}

function addedTokens({ tokens, token_type: types }: Fields, afterNormalization: boolean): Record<string, unknown>[] {
  return tokens.flatMap((content, id) => {
    const type = types[id]!;
    if (type !== UNKNOWN && type !== CONTROL && type !== USER_DEFINED) return [];
    const normalized = type === USER_DEFINED && afterNormalization;
    const whole = { single_word: false, lstrip: false, rstrip: false };
    return [{ id, content, ...whole, normalized, special: type !== USER_DEFINED }];
  });
}

/** The template that puts the begin and end tokens around a text, or null. */
function templateOf(path: string, fields: Fields, addBos: boolean): Step | null {
  const special: Record<string, { id: string; ids: number[]; tokens: string[] }> = {};
  const side = (key: "bos_token_id" | "eos_token_id", asked: boolean): string[] => {
    if (!asked) return [];
    const id = fields[key];
    if (id === undefined) {
      throw fault(path, `no metadata ${PREFIX}${key}`, "the token that texts are to be marked with");
    }
    const token = fields.tokens[id]!;
    special[token] = { id: token, ids: [id], tokens: [token] };
    return [token];
  };
  const before = side("bos_token_id", fields.add_bos_token ?? addBos);
  const after = side("eos_token_id", fields.add_eos_token ?? false);
  if (before.length + after.length === 0) return null;
  const text = (id: "A" | "B", type: number): unknown[] => {
    const mark = (token: string): unknown => ({ SpecialToken: { id: token, type_id: type } });
    return [...before.map(mark), { Sequence: { id, type_id: type } }, ...after.map(mark)];
  };
  const single = text("A", 0);
  return { type: "TemplateProcessing", single, pair: [...single, ...text("B", 1)], special_tokens: special };
}

function describeByteLevel(path: string, fields: Fields): Record<string, unknown> {
  const { pre, merges } = fields;
  const rules = pre === undefined ? undefined : PRE_TOKENIZERS.get(pre);
  if (rules === undefined) {
    const found = pre === undefined ? `no metadata ${PREFIX}pre` : `the pre-tokenizer ${quoteValue(pre)}`;
    throw fault(path, found, `one of ${[...PRE_TOKENIZERS.keys()].join(", ")}`);
  }
  if (merges === undefined) throw fault(path, `no metadata ${PREFIX}merges`, "the merges of a gpt2 tokenizer");
  if (fields.add_space_prefix) throw fault(path, `${PREFIX}add_space_prefix with a gpt2 tokenizer`, "none");
  return {
    model: { type: "BPE", vocab: vocabularyOf(path, fields.tokens), merges, ignore_merges: rules.ignoreMerges },
    normalizer: rules.normalizer,
    pre_tokenizer: rules.preTokenizer,
    post_processor: templateOf(path, fields, rules.addBos),
    decoder: byteLevel(true),
    added_tokens: addedTokens(fields, false),
  };
}

function describeSentencePiece(path: string, fields: Fields): Record<string, unknown> {
  const { tokens, scores, token_type: types } = fields;
  if (scores === undefined) throw fault(path, `no metadata ${PREFIX}scores`, "the scores of a llama tokenizer");
  if (fields.remove_extra_whitespaces) {
    throw fault(path, `${PREFIX}remove_extra_whitespaces`, "white space that is kept");
  }
  if (fields["precompiled_charsmap"] !== undefined) {
    throw fault(path, `${PREFIX}precompiled_charsmap`, "a text that is not normalized");
  }
  const long = tokens.find((token) => token.length > MAX_PIECE);
  if (long !== undefined) throw fault(path, `a token of ${long.length} units`, `at most ${MAX_PIECE}`);
  const pieces = tokens.flatMap((text, id) => types[id] === NORMAL ? [{ text, score: scores[id]! }] : []);
  const { merges, ranks } = mergesFromScores(pieces);
  const unknownId = fields.unknown_token_id ?? types.indexOf(UNKNOWN);
  const prefix = fields.add_space_prefix ?? true;
  const toMark = { type: "Replace", pattern: { String: " " }, content: "\u2581" };
  const fromMark = { type: "Replace", pattern: { String: "\u2581" }, content: " " };
  const strip = prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  return {
    model: {
      type: "BPE",
      vocab: vocabularyOf(path, tokens),
      merges,
      merge_ranks: ranks,
      unk_token: tokens[unknownId],
      fuse_unk: true,
      byte_fallback: types.includes(BYTE),
    },
    normalizer: prefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "\u2581" }, toMark] } : toMark,
    pre_tokenizer: null,
    post_processor: templateOf(path, fields, fields.bos_token_id !== undefined),
    decoder: { type: "Sequence", decoders: [fromMark, { type: "ByteFallback" }, { type: "Fuse" }, ...strip] },
    added_tokens: addedTokens(fields, !prefix),
  };
}

/** A tokenizer as the files of a Hugging Face folder describe it. */
export interface TokenizerDescription {
  /** Content of its `tokenizer.json`. */
  readonly json: Record<string, unknown>;
  /** Ids of the tokens that begin and end a text. */
  readonly marked: MarkedIds;
  /** Those tokens, as `tokenizer_config.json` names them. */
  readonly names: { readonly bos_token: string | null; readonly eos_token: string | null };
}

/**
 * Describes the tokenizer that the metadata of a GGUF file mean: `gpt2` (byte-level BPE) with the pre-tokenizers `gpt-2`,
 * `llama-bpe`, `qwen2` and `smollm`, or `llama` (SentencePiece).
 *
 * @param metadata Metadata by key, lists as arrays.
 * @param path The file, for messages.
 * @throws {FileError} If the vocabulary is missing or does not fit together, or the kind of tokenizer is unknown.
 */
export function describeGgufTokenizer(metadata: Record<string, unknown>, path: string): TokenizerDescription {
  const fields = readFields(path, metadata);
  const kinds: Record<string, typeof describeByteLevel> = { gpt2: describeByteLevel, llama: describeSentencePiece };
  if (!Object.hasOwn(kinds, fields.model)) {
    throw fault(path, `a tokenizer of kind ${quoteValue(fields.model)}`, Object.keys(kinds).join(" or "));
  }
  const { bos_token_id: bosId = null, eos_token_id: eosId = null, tokens } = fields;
  const nameOf = (id: number | null): string | null => id === null ? null : tokens[id]!;
  return {
    json: { version: "1.0", truncation: null, padding: null, ...kinds[fields.model]!(path, fields) },
    marked: { bosId, eosId },
    names: { bos_token: nameOf(bosId), eos_token: nameOf(eosId) },
  };
}

/**
 * Makes the tokenizer that {@linkcode describeGgufTokenizer} describes.
 *
 * @param metadata Metadata by key, lists as arrays.
 * @param path The file, for messages.
 * @returns The tokenizer, with the begin and end ids of the metadata.
 * @throws {FileError} As {@linkcode describeGgufTokenizer}.
 */
export function tokenizerFromGguf(metadata: Record<string, unknown>, path: string): Tokenizer {
  const { json, marked } = describeGgufTokenizer(metadata, path);
  return Tokenizer.from(json, marked, path);
}
