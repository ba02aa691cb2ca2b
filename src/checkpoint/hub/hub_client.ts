/**
 * Requests to the hub: the token goes to the hub alone, redirects are followed by hand, silence and size are bounded.
 *
 * @module
 */
import { listFiles, modelInfo } from "@huggingface/hub";
import { z } from "zod";
import { HubError } from "./hub_error.ts";
import { HubResponse, Watch } from "./hub_response.ts";
import { Patience, type PatienceOptions } from "./patience.ts";
import { nameSubject, refusal, type Subject } from "./refusals.ts";

/** Address of the hub unless HF_ENDPOINT names another. */
const HUB = "https://huggingface.co";

/** Largest page of a list of files, in bytes. */
const MAX_PAGE_BYTES = 1 << 26;

/** Most requests for one list of files. */
const MAX_PAGES = 1000;

/** Redirects followed for one request. */
const MAX_REDIRECTS = 5;

/** Options of {@linkcode HubClient}. */
export interface HubClientOptions {
  /** Address of the hub. Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string;
  /** Token for private and gated models. Default: HF_TOKEN. */
  token?: string;
  /** Sends requests. */
  fetch?: typeof fetch;
  /** Ends every request and wait. */
  signal?: AbortSignal | undefined;
  /** Longest silence of the server in milliseconds. Default: 60000. */
  stallMs?: number;
  /** Bounds of waiting between tries. */
  patience?: PatienceOptions;
}

const hex = (length: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`), `wanted ${length} hexadecimal digits`);

const fileSchema = z.object({
  path: z.string(),
  type: z.string(),
  size: z.int().nonnegative(),
  oid: hex(40).optional(),
  lfs: z.object({ oid: hex(64), size: z.int().nonnegative() }).optional(),
});

/** A file of a model as the hub lists it. */
export interface HubFile {
  /** Path in the model, parts joined by `/`; not checked yet. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** SHA-256 of its bytes, or for small files SHA-1 of the git blob. */
  readonly hash: { readonly kind: "sha256" | "git"; readonly hex: string };
}

/** Files of a model at one commit. */
export interface Listing {
  /** Commit that the revision stands for, 40 hexadecimal digits. */
  readonly commit: string;
  /** Its files. */
  readonly files: readonly HubFile[];
}

/** Reads and checks the address of the hub. */
function readEndpoint(text: string): string {
  const url = URL.parse(text);
  const plain = url && url.username + url.password + url.search + url.hash === "";
  if (plain && /^https?:$/.test(url.protocol)) {
    return url.href.replace(/\/+$/, "");
  }
  throw new HubError(`Cannot use HF_ENDPOINT: found no web address, wanted one like ${HUB}; correct or unset it`);
}

function readToken(text: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]*$/.test(token)) return token;
  throw new HubError("Cannot use HF_TOKEN: it holds characters that no token has; copy the token again");
}

/** Talks to one hub. */
export class HubClient {
  /** Address of the hub, without a slash at the end. */
  readonly endpoint: string;
  readonly #options: HubClientOptions;
  readonly #token: string;

  /**
   * Reads the address and the token; nothing is sent.
   *
   * @param options Address, token, bounds.
   * @throws {HubError} If the address or the token cannot be one.
   */
  constructor(options: HubClientOptions = {}) {
    this.endpoint = readEndpoint(options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || HUB));
    this.#token = readToken(options.token ?? Deno.env.get("HF_TOKEN") ?? "");
    this.#options = options;
  }

  /** Counts failures of one task. */
  patience(): Patience {
    return new Patience({ ...this.#options.patience, signal: this.#options.signal });
  }

  /**
   * Lists the files of a model.
   *
   * @param repo `org/name`.
   * @param revision Branch, tag or commit.
   * @returns The commit and its files.
   * @throws {HubError} If the hub cannot be reached, refuses, or answers with something else.
   */
  async list(repo: string, revision: string): Promise<Listing> {
    const subject = this.#subject(repo, revision);
    const common = { hubUrl: this.endpoint, fetch: this.#libraryFetch(subject) };
    try {
      const { sha } = await modelInfo({ ...common, name: repo, revision, additionalFields: ["sha"] });
      const commit = hex(40).parse(sha);
      const files: HubFile[] = [];
      for await (const entry of listFiles({ ...common, repo, revision: commit, recursive: true })) {
        if (entry.type === "file") files.push(readEntry(entry));
      }
      return { commit, files };
    } catch (cause) {
      if (cause instanceof HubError || this.#options.signal?.aborted) throw cause;
      throw new HubError(
        `Cannot fetch ${repo}: ${this.endpoint} answered with something that is no list of files; check HF_ENDPOINT`,
      );
    }
  }

  /**
   * Asks once for the bytes of a file.
   *
   * @param repo `org/name`.
   * @param commit Commit of the listing.
   * @param file File of the listing.
   * @param from First byte that is wanted.
   * @returns The answer, to be disposed; status 206 if the server starts at `from`.
   * @throws {PassingFault} If the same request may succeed later.
   * @throws {HubError} If the hub refuses.
   */
  async open(repo: string, commit: string, file: string, from: number): Promise<HubResponse> {
    const path = file.split("/").map(encodeURIComponent).join("/");
    // Bytes are counted and hashed as they come, so nothing may compress them.
    const headers = new Headers({ "Accept-Encoding": "identity" });
    if (from > 0) headers.set("Range", `bytes=${from}-`);
    return await this.#request(
      `${this.endpoint}/${repo}/resolve/${commit}/${path}`,
      headers,
      this.#subject(repo, commit, file),
    );
  }

  #subject(repo: string, revision: string, file?: string): Subject {
    const subject = { endpoint: this.endpoint, repo, revision, hasToken: this.#token !== "" };
    return file === undefined ? subject : { ...subject, file };
  }

  /** A fetch for the library: answers of success alone, whole, from this hub alone. */
  #libraryFetch(subject: Subject): typeof fetch {
    let pages = 0;
    return async (input) => {
      const url = String(input);
      if (new URL(url).origin !== new URL(this.endpoint).origin || ++pages > MAX_PAGES) {
        throw new HubError(
          `Cannot fetch ${nameSubject(subject)}: the list of files leads away from ${this.endpoint} or does not end; ` +
            `check HF_ENDPOINT`,
        );
      }
      const patience = this.patience();
      while (true) {
        try {
          using response = await this.#request(url, new Headers({ Accept: "application/json" }), subject);
          const link = response.headers.get("Link");
          return new Response(await response.bytes(MAX_PAGE_BYTES), { headers: link === null ? {} : { Link: link } });
        } catch (fault) {
          await patience.wait(nameSubject(subject), fault);
        }
      }
    };
  }

  /** Sends one request and follows its redirects; only the hub itself sees the token. */
  async #request(address: string, headers: Headers, subject: Subject): Promise<HubResponse> {
    using scope = new DisposableStack();
    const watch = scope.use(new Watch(this.#options.stallMs ?? 60_000, this.#options.signal));
    let url = new URL(address);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const sent = new Headers(headers);
      if (this.#token !== "" && url.origin === new URL(this.endpoint).origin) {
        sent.set("Authorization", `Bearer ${this.#token}`);
      }
      const response = await this.#send(url, sent, watch);
      const target = redirectTarget(response, url);
      if (response.ok) {
        scope.move();
        return new HubResponse(response, watch);
      }
      await response.body?.cancel().catch(() => {});
      if (target === null) throw refusal(response, subject);
      // Deno's fetch also reads local files and data URLs.
      if (!/^https?:$/.test(target.protocol)) break;
      url = target;
    }
    throw new HubError(
      `Cannot fetch ${
        nameSubject(subject)
      }: the hub redirects more than ${MAX_REDIRECTS} times or away from the web; ` +
        `check HF_ENDPOINT`,
    );
  }

  async #send(url: URL, headers: Headers, watch: Watch): Promise<Response> {
    const send = this.#options.fetch ?? fetch;
    try {
      return await send(url, { headers, redirect: "manual", signal: watch.signal });
    } catch (cause) {
      throw watch.explain(cause);
    }
  }
}

function redirectTarget(response: Response, from: URL): URL | null {
  const location = response.headers.get("Location");
  return [301, 302, 303, 307, 308].includes(response.status) && location !== null
    ? URL.parse(location, from.href)
    : null;
}

function readEntry(entry: unknown): HubFile {
  const { path, size, oid, lfs } = fileSchema.parse(entry);
  if (lfs) return { path, size: lfs.size, hash: { kind: "sha256", hex: lfs.oid } };
  return { path, size, hash: { kind: "git", hex: hex(40).parse(oid) } };
}
