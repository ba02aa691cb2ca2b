/**
 * Text to tokens and back, with the place of every token in the text.
 *
 * @module
 */

import { join } from "node:path";
import {
  ByteLevelPreTokenizer,
  DigitsPreTokenizer,
  type PreTokenizer,
  SequencePreTokenizer,
  Tokenizer as LibraryTokenizer,
} from "@huggingface/tokenizers";
import { FileError } from "../checkpoint/file_error.ts";
import { tokenToBytes } from "./byte_level.ts";
import { byteSpans, type Offset, OffsetWalker, trimOffset } from "./offsets.ts";
import {
  type AddedToken,
  flattenPart,
  readMarkedIds,
  readTokenizerFile,
  type TokenizerFile,
} from "./tokenizer_file.ts";

/**
 * GPT-2's split with Unicode's white space. JavaScript's `\s` has U+FEFF and lacks U+0085, the reference's is the
 * other way round.
 */
const BYTE_LEVEL_SPLIT =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Options of encoding. */
export interface EncodeOptions {
  /** Whether to add the special tokens that the tokenizer's template asks for; true unless told. */
  addSpecialTokens?: boolean;
}

/** Options of decoding. */
export interface DecodeOptions {
  /** Whether to leave special tokens out; false unless told. */
  skipSpecial?: boolean;
}

/** A text as tokens. */
export interface TokenizedText {
  /** Token ids. */
  ids: number[];
  /** Readable form of each token. */
  tokens: string[];
  /** Place of each token in the text, in UTF-16 units; [0, 0] for tokens that the template added. */
  offsets: Offset[];
}

/** A token before it has its id. */
interface PlacedToken {
  readonly token: string;
  readonly offset: Offset;
}

/** Gives the library's pre-tokenizers the character classes of the reference. */
function repair(preTokenizer: PreTokenizer | null): void {
  if (preTokenizer instanceof SequencePreTokenizer) preTokenizer.tokenizers.forEach(repair);
  if (preTokenizer instanceof ByteLevelPreTokenizer) preTokenizer.pattern = BYTE_LEVEL_SPLIT;
  if (preTokenizer instanceof DigitsPreTokenizer) {
    preTokenizer.pattern = preTokenizer.config.individual_digits ? /\P{N}+|\p{N}/gu : /\P{N}+|\p{N}+/gu;
  }
}

/** A pattern that finds the longest of several literal texts; null for none. */
function literalPattern(texts: readonly string[]): RegExp | null {
  if (texts.length === 0) return null;
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
}

/** Cuts a text at a pattern; `literal` marks the matches. */
function cut(text: string, pattern: RegExp | null, first: number): { text: string; first: number; literal: boolean }[] {
  const pieces: { text: string; first: number; literal: boolean }[] = [];
  let done = 0;
  for (const match of pattern === null ? [] : text.matchAll(pattern)) {
    if (match.index > done) pieces.push({ text: text.slice(done, match.index), first: first + done, literal: false });
    pieces.push({ text: match[0], first: first + match.index, literal: true });
    done = match.index + match[0].length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), first: first + done, literal: false });
  return pieces;
}

/** A byte-level BPE tokenizer. */
export class Tokenizer {
  /** Number of ids that the tokenizer knows; a model's vocabulary may be larger. */
  readonly size: number;
  /** Id of the token that begins a text, or null. */
  readonly bosId: number | null;
  /** Id of the token that ends a text, or null. */
  readonly eosId: number | null;
  readonly #library: LibraryTokenizer;
  readonly #added: ReadonlyMap<number, AddedToken>;
  readonly #rawLiterals: RegExp | null;
  readonly #normalizedLiterals: RegExp | null;
  readonly #trim: boolean;
  readonly #prefixSpace: boolean;
  readonly #before: readonly string[];
  readonly #after: readonly string[];

  private constructor(file: TokenizerFile, library: LibraryTokenizer, bosId: number | null, eosId: number | null) {
    this.#library = library;
    this.bosId = bosId;
    this.eosId = eosId;
    this.size = library.model!.vocab.length;
    this.#added = new Map(file.addedTokens.map((token) => [token.id, token]));
    const contents = (normalized: boolean): string[] =>
      file.addedTokens.filter((token) => token.normalized === normalized).map((token) => token.content);
    this.#rawLiterals = literalPattern(contents(false));
    this.#normalizedLiterals = literalPattern(contents(true));
    const byteLevel = flattenPart(file.postProcessor).find((step) => step.type === "ByteLevel");
    this.#trim = byteLevel !== undefined && byteLevel["trim_offsets"] !== false;
    this.#prefixSpace = byteLevel !== undefined && byteLevel["add_prefix_space"] !== false;
    // The template is asked once, with a text that no vocabulary holds, what it puts on either side.
    const text = "\0text\0";
    const around = library.post_processor?.post_process([text], null, true).tokens ?? [text];
    this.#before = around.slice(0, around.indexOf(text));
    this.#after = around.slice(around.indexOf(text) + 1);
  }

  /**
   * Loads a tokenizer.
   *
   * @param path A `tokenizer.json`, or the folder that holds one.
   * @returns The tokenizer, with begin and end ids from `tokenizer_config.json` or `config.json` beside it.
   * @throws {FileError} If the file is missing, broken, or not byte-level BPE.
   */
  static async load(path: string): Promise<Tokenizer> {
    const filePath = path.endsWith(".json") ? path : join(path, "tokenizer.json");
    const file = await readTokenizerFile(filePath);
    let library: LibraryTokenizer;
    try {
      library = new LibraryTokenizer(file.json, {});
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new FileError(filePath, `Cannot use ${filePath}: ${detail}; fetch the file again`, { cause });
    }
    repair(library.pre_tokenizer);
    const marked = await readMarkedIds(filePath, (token) => library.token_to_id(token) ?? null);
    return new Tokenizer(file, library, marked.bosId, marked.eosId);
  }

  /**
   * Encodes a text.
   *
   * @param text Any text; empty gives no tokens of its own.
   * @param options Whether the template's special tokens are added.
   * @returns Token ids.
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return this.#place(text, options).map(({ token }) => this.#idOf(token));
  }

  /**
   * Encodes a text and keeps the place of each token.
   *
   * @param text Any text.
   * @param options Whether the template's special tokens are added.
   * @returns Ids, readable tokens and offsets, equally long. Tokens that share a character overlap.
   */
  encodeWithOffsets(text: string, options: EncodeOptions = {}): TokenizedText {
    const placed = this.#place(text, options);
    const ids = placed.map(({ token }) => this.#idOf(token));
    return { ids, tokens: ids.map((id) => this.tokenText(id)), offsets: placed.map(({ offset }) => offset) };
  }

  /**
   * Decodes ids to text.
   *
   * @param ids Token ids; one that the tokenizer does not know adds nothing.
   * @param options Whether special tokens are left out.
   * @returns The text; bytes that are no UTF-8 become U+FFFD.
   */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    const kept = options.skipSpecial ? ids.filter((id) => !this.#added.get(id)?.special) : ids;
    const stream = new TextStream(this);
    return kept.map((id) => stream.push(id)).join("") + stream.end();
  }

  /**
   * A readable form of one token, for tables and labels.
   *
   * @param id Token id.
   * @returns Its text with its space; bytes as `<0xF0 0x9F>` where they are no whole characters; `<id 7>` where the
   *   tokenizer does not know the id.
   */
  tokenText(id: number): string {
    const bytes = this.tokenBytes(id);
    if (bytes.length === 0) return `<id ${id}>`;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return `<${Array.from(bytes, (byte) => `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(" ")}>`;
    }
  }

  /**
   * The bytes of one token.
   *
   * @param id Token id.
   * @returns UTF-8, which may begin or end within a character; empty where the tokenizer does not know the id.
   */
  tokenBytes(id: number): Uint8Array {
    const added = this.#added.get(id);
    if (added !== undefined) return new TextEncoder().encode(added.content);
    return tokenToBytes(this.#library.id_to_token(id) ?? "");
  }

  #idOf(token: string): number {
    return this.#library.token_to_id(token)!;
  }

  #place(text: string, { addSpecialTokens = true }: EncodeOptions): PlacedToken[] {
    const outside = (token: string): PlacedToken => ({ token, offset: [0, 0] });
    const inside = cut(text, this.#rawLiterals, 0)
      .flatMap((piece) => piece.literal ? [piece] : cut(piece.text, this.#normalizedLiterals, piece.first))
      .flatMap((piece) => this.#placePiece(piece.text, piece.first, piece.literal));
    const trimmed = this.#trim
      ? inside.map(({ token, offset }) => ({ token, offset: trimOffset(token, offset, this.#prefixSpace) }))
      : inside;
    return addSpecialTokens ? [...this.#before.map(outside), ...trimmed, ...this.#after.map(outside)] : trimmed;
  }

  #placePiece(text: string, first: number, literal: boolean): PlacedToken[] {
    if (literal) return [{ token: text, offset: [first, first + text.length] }];
    const { normalizer, pre_tokenizer: preTokenizer, model } = this.#library;
    const walker = new OffsetWalker(byteSpans(text, normalizer, first));
    return preTokenizer!(normalizer === null ? text : normalizer(text)).flatMap((preToken) => {
      const tokens = model!([preToken]);
      const offsets = walker.place(preToken, tokens);
      return tokens.map((token, i) => ({ token, offset: offsets[i]! }));
    });
  }
}

/** Turns tokens that arrive one by one into text, holding back the bytes of an unfinished character. */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * Starts an empty text.
   *
   * @param tokenizer Where the tokens come from.
   */
  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * Takes the next token.
   *
   * @param id Token id.
   * @returns The characters that it completes, perhaps none.
   */
  push(id: number): string {
    return this.#decoder.decode(this.#tokenizer.tokenBytes(id), { stream: true });
  }

  /**
   * Ends the text.
   *
   * @returns U+FFFD where an unfinished character was held back, otherwise nothing.
   */
  end(): string {
    return this.#decoder.decode();
  }
}
