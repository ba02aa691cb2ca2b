/**
 * JSON files from outside: read, parsed and checked against a schema before anything uses them.
 *
 * @module
 */

import { FileError, fileError, quoteValue } from "./file_error.ts";

/** Issues spelled out in one message; a wrong file often fails everywhere at once. */
const MAX_ISSUES = 3;

/** One reason why a value does not fit a schema, as zod reports it. */
export interface JsonIssue {
  /** Kind of fault, for example `invalid_type`. */
  readonly code?: string | undefined;
  /** Keys from the top level to the fault. */
  readonly path: readonly PropertyKey[];
  /** What is wrong, in words. */
  readonly message: string;
  /** The value that was found. */
  readonly input?: unknown;
  /** Type that was wanted, for `invalid_type`. */
  readonly expected?: string;
  /** Values that were wanted, for `invalid_value`. */
  readonly values?: readonly unknown[];
}

/** What checking a value gives: the data, or the reasons why not. */
export type JsonResult<T> = { success: true; data: T } | {
  success: false;
  error: { issues: readonly JsonIssue[] };
};

/** What a JSON file must hold; every zod schema is one. */
export interface JsonSchema<T> {
  /** Checks a value; `reportInput` asks for the found values in the issues. */
  safeParse(value: unknown, options: { reportInput: boolean }): JsonResult<T>;
}

function describeIssue(issue: JsonIssue): string {
  const where = issue.path.length === 0 ? "the top level" : issue.path.map(String).join(".");
  if (issue.code === "invalid_type" && issue.expected !== undefined) {
    return `at ${where} found ${quoteValue(issue.input)}, wanted ${issue.expected}`;
  }
  if (issue.values !== undefined) {
    const wanted = issue.values.map((value) => quoteValue(value)).join(" or ");
    return `at ${where} found ${quoteValue(issue.input)}, wanted ${wanted}`;
  }
  return `at ${where} found ${quoteValue(issue.input)}: ${issue.message}`;
}

/**
 * Checks a parsed value against a schema, with a message that names the file, the place, the found and the wanted.
 *
 * @param path File the value came from, for the message.
 * @param value Parsed JSON.
 * @param schema What the file must hold.
 * @returns The value as the schema gives it (defaults filled in).
 * @throws {FileError} If the value does not fit the schema.
 */
export function validateJson<T>(path: string, value: unknown, schema: JsonSchema<T>): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const listed = issues.slice(0, MAX_ISSUES).map(describeIssue).join("; ");
  const more = issues.length > MAX_ISSUES ? `; and ${issues.length - MAX_ISSUES} more` : "";
  throw new FileError(path, `Cannot use ${path}: ${listed}${more}; correct the file`);
}

/**
 * Reads a JSON file and checks it.
 *
 * @param path File to read, UTF-8.
 * @param schema What the file must hold.
 * @returns The value as the schema gives it.
 * @throws {FileError} If the file cannot be read, is no JSON, or does not fit the schema.
 */
export async function readJsonFile<T>(path: string, schema: JsonSchema<T>): Promise<T> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(path, `Cannot read ${path}: found text that is no JSON (${detail}); fetch or write it again`, {
      cause,
    });
  }
  return validateJson(path, value, schema);
}
