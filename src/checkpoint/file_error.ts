/**
 * The one error that reading and writing files raises, with a message that says what to do.
 *
 * @module
 */

/** A file could not be read or written, or does not hold what its format demands. */
export class FileError extends Error {
  /** Path of the file or folder. */
  readonly path: string;

  /**
   * Makes the error; the caller writes the whole message.
   *
   * @param path File or folder the message is about.
   * @param message Action, what was found, what was wanted and what to do.
   * @param options Standard error options; `cause` keeps the error of the system.
   */
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FileError";
    this.path = path;
  }
}

/** Longest piece of a found value that a message quotes, in characters. */
const QUOTED = 60;

/**
 * Writes a found value into a message, cut where it is long.
 *
 * @param value Any value that came out of JSON, or undefined.
 * @returns JSON text of at most about 60 characters, or `nothing`.
 */
export function quoteValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text;
}

/** What the system says about a failed call, in words that lead to a remedy. */
function reason(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (code === "ENOSPC" || code === "EDQUOT" || /no space left|disk quota/i.test(text)) {
    return "the disk is full; free some space or choose another folder";
  }
  if (cause instanceof Deno.errors.NotFound) return "there is no such file or folder; check the path";
  if (cause instanceof Deno.errors.NotCapable) {
    return `Deno may not touch it (${text}); run with --allow-read --allow-write`;
  }
  if (cause instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EROFS") {
    return "permission was denied; change the permissions or choose another folder";
  }
  if (cause instanceof Deno.errors.IsADirectory || code === "EISDIR") return "it is a folder; give the path of a file";
  if (cause instanceof Deno.errors.NotADirectory || code === "ENOTDIR" || code === "EEXIST") {
    return "a part of the path is a file where a folder was wanted; choose another folder";
  }
  return `${text}; check the path and the disk`;
}

/**
 * Turns an error of the system into a {@linkcode FileError}; a `FileError` passes unchanged.
 *
 * @param action Verb of the message: `read` or `write`.
 * @param path File or folder that was touched.
 * @param cause What the system raised.
 * @returns The error to throw.
 */
export function fileError(action: "read" | "write", path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  return new FileError(path, `Cannot ${action} ${path}: ${reason(cause)}`, { cause });
}
