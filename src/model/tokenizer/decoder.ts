/**
 * Tokens back to text, one by one: bytes in the byte-level alphabet, or pieces with space marks and byte tokens.
 *
 * @module
 */

import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { tokenToBytes } from "./byte_level.ts";
import { prependScheme } from "./pre_tokenizer.ts";
import { listSteps, type Step, unsupported } from "./steps.ts";

/** A text that grows token by token. */
export interface TextBuilder {
  /** Takes a token and gives the characters that are now certain. */
  push(token: string): string;
  /** Gives what was held back. */
  end(): string;
}

/** How tokens become text. */
export interface Decoder {
  /** Starts an empty text; one that continues another keeps the space in front of its first word. */
  start(continues: boolean): TextBuilder;
  /** Bytes that one token stands for, wherever it stands. */
  bytes(token: string): Uint8Array;
}

const BYTE_LEVEL: Decoder = {
  start(): TextBuilder {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return {
      push: (token) => decoder.decode(tokenToBytes(token), { stream: true }),
      end: () => decoder.decode(),
    };
  },
  bytes: tokenToBytes,
};

/** How pieces become text. */
interface PieceRules {
  /** Rewrites a piece; `first` for the first of a text. */
  readonly rewrite: (piece: string, first: boolean) => string;
  /** Whether `<0x0A>` stands for a byte. */
  readonly byteFallback: boolean;
  /** What is left out at the front of the text, and how often at most. */
  readonly strip: { readonly content: string; readonly start: number };
}

function byteOfPiece(piece: string): number | null {
  const found = /^<0x([0-9a-fA-F]{2})>$/.exec(piece);
  return found === null ? null : parseInt(found[1]!, 16);
}

/** Bytes that are UTF-8 become characters; of others each becomes U+FFFD, as in the reference. */
function textOfBytes(bytes: readonly number[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return "\ufffd".repeat(bytes.length);
  }
}

/** A text of pieces. A run of byte tokens is held back to its end: one bad byte changes how all of it reads. */
class PieceText implements TextBuilder {
  readonly #rules: PieceRules;
  #bytes: number[] = [];
  #first: boolean;
  #toStrip: number;

  constructor(rules: PieceRules, continues: boolean) {
    this.#rules = rules;
    this.#first = !continues;
    this.#toStrip = continues ? 0 : rules.strip.start;
  }

  push(token: string): string {
    const piece = this.#rules.rewrite(token, this.#first);
    this.#first = false;
    const byte = this.#rules.byteFallback ? byteOfPiece(piece) : null;
    if (byte === null) return this.#strip(this.#settle() + piece);
    this.#bytes.push(byte);
    return "";
  }

  end(): string {
    return this.#strip(this.#settle());
  }

  #settle(): string {
    const text = textOfBytes(this.#bytes);
    this.#bytes = [];
    return text;
  }

  #strip(text: string): string {
    const { content } = this.#rules.strip;
    let from = 0;
    while (this.#toStrip > 0 && text.startsWith(content, from)) {
      from += content.length;
      this.#toStrip--;
    }
    if (from < text.length) this.#toStrip = 0;
    return text.slice(from);
  }
}

function piecesDecoder(rules: PieceRules): Decoder {
  return {
    start: (continues) => new PieceText(rules, continues),
    bytes(token) {
      const piece = rules.rewrite(token, false);
      const byte = rules.byteFallback ? byteOfPiece(piece) : null;
      return byte === null ? new TextEncoder().encode(piece) : Uint8Array.of(byte);
    },
  };
}

const replaceSchema = z.looseObject({
  pattern: z.strictObject({ String: z.string().min(1) }),
  content: z.string(),
});
const stripSchema = z.looseObject({
  content: z.string().refine((text) => [...text].length === 1, "wanted one character"),
  start: z.int().min(0),
  stop: z.literal(0),
});

/** Whether steps stand in the order in which a text can be built token by token. */
function isInOrder(types: readonly string[]): boolean {
  return /^(?:Replace )*(?:ByteFallback )?(?:Fuse (?:Strip )?)?$/.test(types.map((type) => `${type} `).join(""));
}

/**
 * Makes the decoder of a tokenizer.
 *
 * @param path File of the tokenizer, for messages.
 * @param root Its `decoder`, or null.
 * @returns The decoder.
 * @throws {FileError} If there is none, or it is not reproduced exactly.
 */
export function makeDecoder(path: string, root: Step | null): Decoder {
  const known = ["ByteLevel", "Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"];
  const steps = listSteps(path, "decoder", root, known);
  const types = steps.map(({ type }) => type);
  if (types.join() === "ByteLevel") return BYTE_LEVEL;
  if (types.join() === "Metaspace") {
    const { replacement, scheme } = prependScheme(path, steps[0]!);
    const rewrite = (piece: string, first: boolean): string =>
      piece.replaceAll(replacement, first && scheme !== "never" ? "" : " ");
    return piecesDecoder({ rewrite, byteFallback: false, strip: { content: " ", start: 0 } });
  }
  if (types.length === 0 || !isInOrder(types)) {
    const found = types.length === 0 ? "no decoder" : `the decoder steps ${types.join(", ")}`;
    throw unsupported(path, found, "ByteLevel, Metaspace, or Replace, ByteFallback, Fuse and Strip in this order");
  }
  const replaces = steps.filter(({ type }) => type === "Replace").map((step) =>
    validateJson(path, step, replaceSchema)
  );
  const strip = steps.find(({ type }) => type === "Strip");
  return piecesDecoder({
    rewrite: (piece) =>
      replaces.reduce((text, { pattern, content }) => text.replaceAll(pattern.String, () => content), piece),
    byteFallback: types.includes("ByteFallback"),
    strip: strip === undefined ? { content: " ", start: 0 } : validateJson(path, strip, stripSchema),
  });
}
