/**
 * Byte-level BPE spells every byte of UTF-8 as one printable character (Radford et al. 2019); here is that alphabet.
 *
 * @module
 */

/** Bytes that stand for themselves: printable Latin-1 without the space and the soft hyphen. */
function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function spellBytes(): Map<string, number> {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) bytes.set(String.fromCharCode(isPrintable(byte) ? byte : next++), byte);
  return bytes;
}

/** The byte that each of the 256 characters of the alphabet stands for. */
const CHARACTER_TO_BYTE: ReadonlyMap<string, number> = spellBytes();

/** The character that stands for each of the 256 bytes. */
const BYTE_TO_CHARACTER: readonly string[] = [...CHARACTER_TO_BYTE.keys()];

const encoder = new TextEncoder();

/** How the alphabet spells a space; the mark at the front of most words. */
export const SPACE_MARK = "\u0120";

/**
 * Spells a character in the alphabet.
 *
 * @param character Any character.
 * @returns One character of the alphabet for each of its bytes.
 */
export function spellByteLevel(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x80) return BYTE_TO_CHARACTER[code]!;
  return Array.from(encoder.encode(character), (byte) => BYTE_TO_CHARACTER[byte]!).join("");
}

/**
 * The bytes that a token stands for.
 *
 * @param token Token as the vocabulary spells it.
 * @returns Its bytes; UTF-8 of the spelling where a character is outside the alphabet, as in special tokens.
 */
export function tokenToBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = CHARACTER_TO_BYTE.get(token[i]!);
    if (byte === undefined) return encoder.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}
