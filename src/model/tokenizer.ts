/**
 * Text to tokens and back through `@huggingface/tokenizers`, with our own offsets: the place of every token in the text.
 *
 * The library normalizes, splits, merges and decodes. Its stages are run one by one, so that each result can be placed in
 * the text, and what it does otherwise than the reference is written for it in another way first (`tokenizer/`).
 *
 * @module
 */

import { join } from "node:path";
import { makeSectioner, type Section } from "./tokenizer/added_tokens.ts";
import { Bpe } from "./tokenizer/bpe.ts";
import { type Decoder, makeDecoder } from "./tokenizer/decoder.ts";
import { makeNormalizer } from "./tokenizer/normalizer.ts";
import { type Offset, PlacedText, utf8Length } from "./tokenizer/placed_text.ts";
import { makePostProcessor, type PlacedToken, type PostProcessor } from "./tokenizer/post_processor.ts";
import { makePreTokenizer, type PreTokenizer } from "./tokenizer/pre_tokenizer.ts";
import {
  checkTokenizerFile,
  type MarkedIds,
  readMarkedIds,
  readTokenizerJson,
  type TokenizerFile,
} from "./tokenizer_file.ts";

/** Options of encoding. */
export interface EncodeOptions {
  /** Whether to add the special tokens that the tokenizer's template asks for; unless told, to all but continuing texts. */
  addSpecialTokens?: boolean;
  /** Whether the text continues another: nothing is put in front of it. False unless told. */
  continues?: boolean;
}

/** Options of decoding. */
export interface DecodeOptions {
  /** Whether to leave special tokens out; false unless told. */
  skipSpecial?: boolean;
  /** Whether the text continues another: the space in front of its first word stays. False unless told. */
  continues?: boolean;
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

/** How a text comes apart: added tokens and what is between them, and that into words. */
interface TextSplit {
  readonly sections: (text: PlacedText) => Section[];
  readonly words: PreTokenizer;
}

function makeSplit(path: string, file: TokenizerFile, prefix: boolean): TextSplit {
  return {
    sections: makeSectioner(file.addedTokens, makeNormalizer(path, file.normalizer, prefix)),
    words: makePreTokenizer(path, file.preTokenizer, prefix),
  };
}

/** Ids of marked tokens that are not known beforehand. */
const UNMARKED: MarkedIds = { bosId: null, eosId: null };

/** A BPE tokenizer: byte-level, or SentencePiece with byte fallback. */
export class Tokenizer {
  /** Number of ids that the tokenizer knows; a model's vocabulary may be larger. */
  readonly size: number;
  /** Id of the token that begins a text, or null. */
  readonly bosId: number | null;
  /** Id of the token that ends a text, or null. */
  readonly eosId: number | null;
  readonly #tokens = new Map<number, string>();
  readonly #texts = new Map<number, string>();
  readonly #special: ReadonlySet<number>;
  readonly #fromStart: TextSplit;
  readonly #continuing: TextSplit;
  readonly #bpe: Bpe;
  readonly #finish: PostProcessor;
  readonly #decoder: Decoder;

  private constructor(path: string, file: TokenizerFile, marked: MarkedIds) {
    for (const [token, id] of file.model.vocab) this.#tokens.set(id, token);
    const normalizer = makeNormalizer(path, file.normalizer, true);
    for (const { id, content, normalized } of file.addedTokens) {
      // What is looked for in normalized text is also spelled so.
      this.#tokens.set(id, normalized ? normalizer(PlacedText.of(content)).text : content);
    }
    this.#special = new Set(file.addedTokens.filter(({ special }) => special).map(({ id }) => id));
    this.#fromStart = makeSplit(path, file, true);
    this.#continuing = makeSplit(path, file, false);
    this.#bpe = new Bpe(file.model);
    this.#finish = makePostProcessor(path, file.postProcessor, (id) => this.#tokens.get(id));
    this.#decoder = makeDecoder(path, file.decoder);
    let size = 0;
    for (const id of this.#tokens.keys()) size = Math.max(size, id + 1);
    this.size = size;
    this.bosId = marked.bosId;
    this.eosId = marked.eosId;
  }

  /**
   * Makes a tokenizer of the parsed content of a `tokenizer.json`. Truncation and padding are never applied.
   *
   * @param json Parsed file.
   * @param marked Ids of the tokens that begin and end a text.
   * @param path Where the content is from, for messages.
   * @returns The tokenizer.
   * @throws {FileError} If the content is broken, or would not be reproduced exactly.
   */
  static from(json: unknown, marked: MarkedIds = UNMARKED, path = "tokenizer.json"): Tokenizer {
    return new Tokenizer(path, checkTokenizerFile(path, json), marked);
  }

  /**
   * Loads a tokenizer.
   *
   * @param path A `tokenizer.json`, or the folder that holds one.
   * @returns The tokenizer, with begin and end ids from `tokenizer_config.json` or `config.json` beside it.
   * @throws {FileError} If the file is missing or broken, or would not be reproduced exactly.
   */
  static async load(path: string): Promise<Tokenizer> {
    const filePath = path.endsWith(".json") ? path : join(path, "tokenizer.json");
    const file = checkTokenizerFile(filePath, await readTokenizerJson(filePath));
    const added = new Map(file.addedTokens.map(({ content, id }) => [content, id]));
    const marked = await readMarkedIds(filePath, (token) => added.get(token) ?? file.model.vocab.get(token) ?? null);
    return new Tokenizer(filePath, file, marked);
  }

  /**
   * Encodes a text.
   *
   * @param text Any text; empty gives no tokens of its own.
   * @param options Whether the template's special tokens are added.
   * @returns Token ids.
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return this.#place(text, options).map(({ id }) => id);
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
    const ids = placed.map(({ id }) => id);
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
    const kept = options.skipSpecial ? ids.filter((id) => !this.#special.has(id)) : ids;
    return this.#decoder.decode(kept.flatMap((id) => this.#tokens.get(id) ?? []), options.continues ?? false);
  }

  /**
   * A readable form of one token, for tables and labels.
   *
   * @param id Token id.
   * @returns Its text with its space; bytes as `<0xF0 0x9F>` where they are no whole characters; `<id 7>` where the
   *   tokenizer does not know the id.
   */
  tokenText(id: number): string {
    let text = this.#texts.get(id);
    if (text === undefined) this.#texts.set(id, text = textOfToken(id, this.tokenBytes(id)));
    return text;
  }

  /**
   * The bytes of one token.
   *
   * @param id Token id.
   * @returns UTF-8, which may begin or end within a character; empty where the tokenizer does not know the id.
   */
  tokenBytes(id: number): Uint8Array {
    const token = this.#tokens.get(id);
    return token === undefined ? new Uint8Array(0) : this.#decoder.bytes(token);
  }

  /**
   * Whether a text can be read up to a token and with it; a run of byte tokens is readable at its end alone.
   *
   * @param id Token id; one that the tokenizer does not know ends nothing.
   */
  endsReadably(id: number): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && !this.#decoder.isByte(token);
  }

  #place(text: string, { continues = false, addSpecialTokens = !continues }: EncodeOptions): PlacedToken[] {
    const { sections, words } = continues ? this.#continuing : this.#fromStart;
    const placed = sections(PlacedText.of(text)).flatMap(({ text: section, id }) =>
      id === null
        ? words(section).flatMap((word) => this.#placeWord(word))
        : [{ id, token: section.text, offset: section.range(0, section.text.length) }]
    );
    return this.#finish(placed, text, addSpecialTokens);
  }

  #placeWord(word: PlacedText): PlacedToken[] {
    const { ids, lengths } = this.#bpe.encode(word.text);
    const units = unitsOfBytes(word.text);
    let byte = 0;
    return ids.map((id, i) => {
      const first = byte;
      byte += lengths[i]!;
      // The last byte tells the last character; its first unit has the range of the whole character.
      return { id, token: this.#tokens.get(id)!, offset: word.range(units(first), units(byte - 1) + 1) };
    });
  }
}

/** A readable form of the bytes of a token. */
function textOfToken(id: number, bytes: Uint8Array): string {
  if (bytes.length === 0) return `<id ${id}>`;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `<${Array.from(bytes, (byte) => `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(" ")}>`;
  }
}

/** For a byte of a text's UTF-8, the first UTF-16 unit of its character. */
function unitsOfBytes(text: string): (byte: number) => number {
  const units: number[] = [];
  let unit = 0;
  for (const character of text) {
    for (let length = utf8Length(character); length > 0; length--) units.push(unit);
    unit += character.length;
  }
  return (byte) => units[byte]!;
}

/** Turns tokens that arrive one by one into text, holding back those whose characters are not complete. */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  #held: number[] = [];
  #continues: boolean;

  /**
   * Starts an empty text.
   *
   * @param tokenizer Where the tokens come from.
   * @param options Whether the text continues another.
   */
  constructor(tokenizer: Tokenizer, { continues = false }: Pick<DecodeOptions, "continues"> = {}) {
    this.#tokenizer = tokenizer;
    this.#continues = continues;
  }

  /**
   * Takes the next token.
   *
   * @param id Token id; one that the tokenizer does not know adds nothing.
   * @returns The characters that it completes, perhaps none.
   */
  push(id: number): string {
    this.#held.push(id);
    const text = this.#tokenizer.endsReadably(id) ? this.end() : "";
    // U+FFFD may become a character with the next bytes; what gave no text yet may still be the front of it.
    if (text === "" || text.endsWith("\ufffd")) return "";
    this.#held = [];
    this.#continues = true;
    return text;
  }

  /**
   * Ends the text.
   *
   * @returns What was held back: U+FFFD for an unfinished character, or the characters of a last run of bytes.
   */
  end(): string {
    return this.#tokenizer.decode(this.#held, { continues: this.#continues });
  }
}
