/**
 * Tokens back to text, by the library: bytes in the byte-level alphabet, or pieces with space marks and byte tokens. Where
 * it does not read them as the reference does, `decoder_test.ts` shows it.
 *
 * @module
 */

import { ByteFallbackDecoder, ByteLevelDecoder, ByteLevelPreTokenizer, SequenceDecoder } from "@huggingface/tokenizers";
import { z } from "zod";
import { validateJson } from "../../checkpoint/json_file.ts";
import { prependScheme } from "./pre_tokenizer.ts";
import { listSteps, type Step, unsupported } from "./steps.ts";

/** How tokens become text. */
export interface Decoder {
  /** The text of tokens; one that continues another keeps the space in front of its first word. */
  decode(tokens: readonly string[], continues: boolean): string;
  /** Bytes that one token stands for, wherever it stands. */
  bytes(token: string): Uint8Array;
  /** Whether a token is a byte of a run that only its end makes readable. */
  isByte(token: string): boolean;
}

function makeByteLevel(): Decoder {
  const library = new ByteLevelDecoder({ type: "ByteLevel" });
  const alphabet = new ByteLevelPreTokenizer({ type: "ByteLevel", use_regex: false });
  // A token with a character outside the alphabet stands for its own spelling; the library has zeros for it.
  const spell = (token: string): string =>
    [...token].every((character) => character in library.byte_decoder) ? token : alphabet.pre_tokenize_text(token)[0]!;
  return {
    decode: (tokens) => library.decode(tokens.map(spell)),
    bytes: (token) => Uint8Array.from(spell(token), (character) => library.byte_decoder[character]!),
    isByte: () => false,
  };
}

/** Bytes that are UTF-8 become characters; of others each becomes U+FFFD, as in the reference. */
function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "\ufffd".repeat(bytes.length);
  }
}

/** The library's step with its bytes read as the reference reads them: the library drops U+FEFF and counts bad ones else. */
class ByteFallback extends ByteFallbackDecoder {
  override text_decoder = { decode: textOfBytes } as unknown as TextDecoder;
}

const BYTE = /^<0x([0-9a-fA-F]{2})>$/;

/** A decoder of the library's steps; `first` rewrites the first token of a text that continues no other. */
function makePieces(steps: readonly Step[], first: (token: string) => string = (token) => token): Decoder {
  const sequence = (continues: boolean): SequenceDecoder => {
    const decoders = steps.filter(({ type }) => !continues || type !== "Strip");
    const library = new SequenceDecoder({ type: "Sequence", decoders: decoders as never });
    library.decoders = library.decoders.map((step) =>
      step instanceof ByteFallbackDecoder ? new ByteFallback({ type: "ByteFallback" }) : step
    );
    return library;
  };
  const fromStart = sequence(false);
  const continuing = sequence(true);
  const fallsBack = steps.some(({ type }) => type === "ByteFallback");
  return {
    decode: (tokens, continues) =>
      continues
        ? continuing.decode([...tokens])
        : fromStart.decode(tokens.map((token, i) => i === 0 ? first(token) : token)),
    bytes(token) {
      const byte = fallsBack ? BYTE.exec(token) : null;
      return byte === null
        ? new TextEncoder().encode(continuing.decode([token]))
        : Uint8Array.of(parseInt(byte[1]!, 16));
    },
    // One bad byte changes how a whole run of them reads.
    isByte: (token) => fallsBack && BYTE.test(token),
  };
}

const replaceSchema = z.looseObject({
  pattern: z.strictObject({ String: z.string().min(1) }),
  content: z.string(),
});
const stripSchema = z.looseObject({
  content: z.string().refine((text) => text.length === 1, "wanted one character"),
  start: z.int().min(0),
  stop: z.literal(0),
});

/** The library takes a dollar sign in what it writes for a reference to the match. */
function replace(pattern: string, content: string): Step {
  return { type: "Replace", pattern: { String: pattern }, content: content.replaceAll("$", "$$$$") };
}

function repairStep(path: string, step: Step): Step {
  if (step.type === "Strip") validateJson(path, step, stripSchema);
  if (step.type !== "Replace") return step;
  const { pattern, content } = validateJson(path, step, replaceSchema);
  return replace(pattern.String, content);
}

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
  if (types.join() === "ByteLevel") return makeByteLevel();
  if (types.join() === "Metaspace") {
    const { replacement, scheme } = prependScheme(path, steps[0]!);
    // The library's step takes one space off the first token, the reference's every mark, unless it never puts one.
    return makePieces(
      [replace(replacement, " ")],
      (token) => scheme === "never" ? token : token.replaceAll(replacement, ""),
    );
  }
  if (types.length === 0 || !isInOrder(types)) {
    const found = types.length === 0 ? "no decoder" : `the decoder steps ${types.join(", ")}`;
    throw unsupported(path, found, "ByteLevel, Metaspace, or Replace, ByteFallback, Fuse and Strip in this order");
  }
  return makePieces(steps.map((step) => repairStep(path, step)));
}
