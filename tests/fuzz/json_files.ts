/**
 * JSON files under damage: with other values in right JSON, and with other bytes.
 *
 * @module
 */
import fc from "fast-check";
import { mutatedBytes, mutatedJson } from "./mutations.ts";
import { type FuzzTarget, target } from "./target.ts";

const encoder = new TextEncoder();

/** The bytes of a JSON file that says `value`. */
export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(value) ?? "");
}

/** A JSON file after changes of its values, and, as often, of its bytes. */
export function damagedJson(bytes: Uint8Array<ArrayBuffer>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return fc.oneof(mutatedJson(value).map(jsonBytes), mutatedBytes(bytes));
}

/**
 * Makes a target of a reader of JSON files.
 *
 * @param name Name of the target.
 * @param path Where each damaged file is written.
 * @param files The files before damage.
 * @param read Reads the file at `path`.
 * @param ours The reader's own TypeError and RangeError, by their messages.
 */
export function jsonTarget(
  name: string,
  path: string,
  files: readonly Uint8Array<ArrayBuffer>[],
  read: () => Promise<unknown>,
  ours?: RegExp,
): FuzzTarget {
  return target(name, fc.oneof(...files.map(damagedJson)), async (bytes) => {
    await Deno.writeFile(path, bytes);
    await read();
  }, { size: (bytes) => bytes.length, ...(ours ? { ours } : {}) });
}
