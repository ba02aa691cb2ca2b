/**
 * Names of models on the hub, and paths inside them.
 *
 * @module
 */

/** A model of the hub as a user writes it: `org/name`, `org/name@revision`, `org/name/file.gguf`. */
export interface ModelName {
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** One file of it, if one is named. */
  readonly file?: string;
}

/** Branch that models have unless they say otherwise. */
export const MAIN = "main";

/** Longest `org/name`, by the rules of the hub. */
const MAX_NAME = 96;

/** The rules that `huggingface_hub.utils.validate_repo_id` checks, for a name with its organisation. */
function isRepoName(text: string): boolean {
  return text.length <= MAX_NAME && /^[\w][\w.-]*\/[\w][\w.-]*$/.test(text) &&
    !/--|\.\.|[-.](?:\/|$)|\.git$/.test(text);
}

/**
 * Tells whether a path stays below the folder that it is joined to, on every system.
 *
 * @param path Path with `/` between its parts.
 * @returns False for absolute paths, empty parts, `.`, `..`, drive letters, backslashes and control characters.
 */
export function isInnerPath(path: string): boolean {
  // deno-lint-ignore no-control-regex -- a control character in a name is the point
  return !/[\\:\u0000-\u001f\u007f]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/**
 * Reads the name of a repository.
 *
 * @param text `org/name`.
 * @returns The same text.
 * @throws {TypeError} If the hub could not have such a name.
 */
export function repoName(text: string): string {
  if (isRepoName(text)) return text;
  throw new TypeError(
    `Cannot use ${JSON.stringify(text)} as the name of a model on the hub: wanted org/name, for example ` +
      `HuggingFaceTB/SmolLM2-135M-Instruct`,
  );
}

/**
 * Reads a branch, tag or commit.
 *
 * @param text Its name.
 * @returns The same text.
 * @throws {TypeError} If no revision can be called so.
 */
export function revisionName(text: string): string {
  if (isInnerPath(text) && !/[\s~^?*[]/.test(text)) return text;
  throw new TypeError(
    `Cannot use ${JSON.stringify(text)} as a revision: wanted a branch, a tag or a commit, for example ${MAIN}`,
  );
}

/**
 * Reads what a user gave in the place of a folder.
 *
 * @param text `org/name`, with `@revision` behind it or `/file.gguf` or both.
 * @returns The parts, or null if the text is no such name.
 */
export function parseModelName(text: string): ModelName | null {
  const match = /^([^/@]+\/[^/@]+)(?:@([^@]+?))?(?:\/([^@]+\.gguf))?$/.exec(text);
  if (!match || !isRepoName(match[1]!)) return null;
  const [, repo, revision = MAIN, file] = match;
  if (!isInnerPath(revision) || (file !== undefined && !isInnerPath(file))) return null;
  return { repo: repo!, revision, ...(file === undefined ? {} : { file }) };
}
