/**
 * What an answer without success means for a user, and what to do about it.
 *
 * Only the status and the hub's error code are used: text of a server could hold anything, the token included.
 *
 * @module
 */
import { HubError } from "./hub_error.ts";
import { parseRetryAfter, PassingFault } from "./patience.ts";

/** What a request was about. */
export interface Subject {
  /** Address of the hub. */
  readonly endpoint: string;
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** File, if one was asked for. */
  readonly file?: string;
  /** Whether a token was sent. */
  readonly hasToken: boolean;
}

/** Names what was asked for. */
export function nameSubject({ repo, file }: Pick<Subject, "repo" | "file">): string {
  return file === undefined ? repo : `${file} of ${repo}`;
}

function unauthorised({ endpoint, repo, hasToken }: Subject): string {
  const page = `${endpoint}/${repo}`;
  return hasToken
    ? `the hub does not take the token in HF_TOKEN, or there is no such model; make a new token that may read it ` +
      `(${endpoint}/settings/tokens) and check the name at ${page}`
    : `the hub wants to know who asks, or there is no such model; check the name at ${page}, and if the model is ` +
      `private or gated set HF_TOKEN to a token that may read it (${endpoint}/settings/tokens)`;
}

function forbidden({ endpoint, repo, hasToken }: Subject, code: string | null): string {
  const page = `${endpoint}/${repo}`;
  const token = hasToken ? "with the account of your HF_TOKEN" : "and set HF_TOKEN to a token of that account";
  return code === "GatedRepo"
    ? `access to this model must be asked for; do so at ${page}, ${token}`
    : `the hub does not let you read it; ask for access at ${page}, ${token}`;
}

function missing({ endpoint, repo, revision, file }: Subject, code: string | null): string {
  const page = `${endpoint}/${repo}`;
  if (code === "RevisionNotFound") return `it has no revision ${revision}; choose one of ${page}/tree/main`;
  if (file !== undefined) return `the hub lists this file and does not have it; run the command again`;
  return `the hub has no such model or revision; check the name at ${page}, and set HF_TOKEN if it is private`;
}

/**
 * Turns an answer without success into an error.
 *
 * @param response Answer with a status other than 2xx.
 * @param subject What the request was about.
 * @returns A {@linkcode PassingFault} for 408, 429 and 5xx, a {@linkcode HubError} otherwise.
 */
export function refusal(response: Response, subject: Subject): PassingFault | HubError {
  const { status, headers } = response;
  const code = headers.get("X-Error-Code");
  if (status === 429) {
    return new PassingFault(
      "the hub says that there were too many requests (status 429)",
      status,
      parseRetryAfter(headers.get("Retry-After")),
    );
  }
  if (status === 408 || status >= 500) {
    return new PassingFault(
      `the hub answered with status ${status}`,
      status,
      parseRetryAfter(headers.get("Retry-After")),
    );
  }
  const why = status === 403 || code === "GatedRepo"
    ? forbidden(subject, code)
    : status === 401
    ? unauthorised(subject)
    : status === 404
    ? missing(subject, code)
    : `found an answer that no download gives; check HF_ENDPOINT and run the command again`;
  return new HubError(`Cannot fetch ${nameSubject(subject)}: status ${status}: ${why}`, status);
}
