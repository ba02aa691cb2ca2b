/**
 * Fields of a model in GGUF metadata, each of the type that it must have, and none left unread.
 *
 * @module
 */

import { FileError, quoteValue } from "./file_error.ts";
import type { GgufValue } from "./gguf_metadata.ts";

/** Writes a found value into a message. */
function quoted(value: GgufValue | undefined): string {
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  return ArrayBuffer.isView(value) ? `a list of ${value.length} numbers` : quoteValue(value);
}

/** The metadata below `<architecture>.`, read key by key. */
export class GgufFields {
  /** File, for messages. */
  readonly path: string;
  readonly #metadata: ReadonlyMap<string, GgufValue>;
  readonly #prefix: string;
  readonly #read = new Set<string>();

  /**
   * Looks at the fields of one architecture.
   *
   * @param path File, for messages.
   * @param metadata All metadata.
   * @param architecture Name in front of the keys.
   */
  constructor(path: string, metadata: ReadonlyMap<string, GgufValue>, architecture: string) {
    this.path = path;
    this.#metadata = metadata;
    this.#prefix = `${architecture}.`;
  }

  /** The error for metadata that cannot be used. */
  fault(what: string, remedy = "fetch or convert the file again"): FileError {
    return new FileError(this.path, `Cannot use ${this.path}: ${what}; ${remedy}`);
  }

  /** A size: a whole number from 1. @throws {FileError} If it is missing without a fallback, or something else. */
  size(key: string, fallback?: number): number {
    const value = this.#value(key, fallback, "a whole number from 1");
    if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
    throw this.#wrong(key, value, "a whole number from 1");
  }

  /** A whole number from 0, or null where the field is missing. @throws {FileError} If it is something else. */
  countIfThere(key: string): number | null {
    this.#read.add(key);
    const value = this.#metadata.get(this.#prefix + key);
    if (value === undefined) return null;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    throw this.#wrong(key, value, "a whole number from 0");
  }

  /** A number above 0. @throws {FileError} If it is missing without a fallback, or something else. */
  positive(key: string, fallback?: number): number {
    const value = this.#value(key, fallback, "a number above 0");
    if (typeof value === "number" && value > 0 && value < Infinity) return value;
    throw this.#wrong(key, value, "a number above 0");
  }

  /** A number from 0. @throws {FileError} If it is something else. */
  fromZero(key: string, fallback: number): number {
    const value = this.#value(key, fallback, "a number from 0");
    if (typeof value === "number" && value >= 0 && value < Infinity) return value;
    throw this.#wrong(key, value, "a number from 0");
  }

  /** A text. @throws {FileError} If it is something else. */
  text(key: string, fallback: string): string {
    const value = this.#value(key, fallback, "a text");
    if (typeof value === "string") return value;
    throw this.#wrong(key, value, "a text");
  }

  /** A field that would change the maths if it had another value than `wanted`; absent is fine. */
  only(key: string, wanted: GgufValue): void {
    const value = this.#value(key, wanted, quoted(wanted));
    if (value !== wanted) throw this.#wrong(key, value, quoted(wanted));
  }

  /** Fields that do not change the maths. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  /** Refuses fields that nothing asked for: they could change the maths. */
  refuseOthers(): void {
    for (const key of this.#metadata.keys()) {
      if (key.startsWith(this.#prefix) && !this.#read.has(key.slice(this.#prefix.length))) {
        throw this.fault(
          `metadata ${quoteValue(key)} is not known, and the model would be computed wrongly without it`,
          "choose another model",
        );
      }
    }
  }

  #value(key: string, fallback: GgufValue | undefined, wanted: string): GgufValue {
    this.#read.add(key);
    const value = this.#metadata.get(this.#prefix + key) ?? fallback;
    if (value === undefined) throw this.fault(`metadata "${this.#prefix}${key}" is missing, wanted ${wanted}`);
    return value;
  }

  #wrong(key: string, value: GgufValue, wanted: string): FileError {
    return this.fault(`metadata "${this.#prefix}${key}" is ${quoted(value)}, wanted ${wanted}`);
  }
}
