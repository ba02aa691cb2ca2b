/**
 * A hub on this machine that lists files, answers ranges, and fails in the ways that a test asks for.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { assert, assertRejects } from "@std/assert";
import { HubError } from "../../../src/checkpoint/hub/hub_error.ts";
import { pullModel, type PullOptions } from "../../../src/checkpoint/hub/pull_model.ts";

/** Commit of everything. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Name of the model. */
export const REPO = "some-org/tiny-model";

/** A file of the fake hub. */
export interface FakeFile {
  /** What it holds. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether it is large, with SHA-256 in the list. */
  lfs: boolean;
  /** What the list says of it in place of the truth. */
  listed?: Record<string, unknown>;
}

/** A request as it came. */
export interface Seen {
  /** Path without query. */
  path: string;
  /** Header `Range`. */
  range: string | null;
  /** Header `Authorization`. */
  authorization: string | null;
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes that repeat nowhere near. */
export function noise(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761 >>> 13) & 255);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Git's hash of a blob, from its definition. */
export function gitHash(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** Weights of the fake model. */
export const WEIGHTS = noise(300_000);

/** Files of a model in one piece, with some that nobody needs. */
export function modelFiles(): Map<string, FakeFile> {
  return new Map([
    ["config.json", { bytes: bytesOf('{"model_type": "qwen3"}'), lfs: false }],
    ["generation_config.json", { bytes: bytesOf("{}"), lfs: false }],
    ["tokenizer.json", { bytes: bytesOf('{"model": {}}'), lfs: false }],
    ["model.safetensors", { bytes: WEIGHTS, lfs: true }],
    ["README.md", { bytes: bytesOf("# Tiny"), lfs: false }],
    ["onnx/model.onnx", { bytes: noise(500), lfs: true }],
  ]);
}

/** A server on 127.0.0.1. */
export class FakeHub implements AsyncDisposable {
  /** What is listed and sent. */
  files = modelFiles();
  /** Every request so far. */
  readonly seen: Seen[] = [];
  /** Answers in the place of the hub; null lets it answer. */
  override: (request: Request, seen: Seen) => Response | null | Promise<Response | null> = () => null;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Starts at a free port. */
  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, onError: () => new Response(null, { status: 500 }) },
      async (request) => {
        const { pathname } = new URL(request.url);
        const { headers } = request;
        const seen = {
          path: decodeURIComponent(pathname),
          range: headers.get("Range"),
          authorization: headers.get("Authorization"),
        };
        this.seen.push(seen);
        return await this.override(request, seen) ?? this.answer(seen);
      },
    );
  }

  /** Address of the server. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Options of a download from here into `cacheDir`, without waits that a person would notice. */
  options(cacheDir: string): PullOptions {
    return { endpoint: this.url, token: "", cacheDir, stallMs: 2000, patience: { firstWaitMs: 1 } };
  }

  /** Requests for the bytes of a file. */
  requestsOf(path: string): Seen[] {
    return this.seen.filter((seen) => seen.path.endsWith(`/${path}`) && seen.path.includes("/resolve/"));
  }

  /** The answer of a hub without faults. */
  answer({ path, range }: Seen): Response {
    if (path.startsWith(`/api/models/${REPO}/revision/`)) {
      return Response.json({ _id: "1", id: REPO, lastModified: "2026-01-01", sha: COMMIT });
    }
    if (path === `/api/models/${REPO}/tree/${COMMIT}`) {
      return Response.json([...this.files].map(([path, file]) => ({ ...describe(path, file), ...file.listed })));
    }
    const file = this.files.get(path.replace(`/${REPO}/resolve/${COMMIT}/`, ""));
    if (!file) return new Response("Entry not found", { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });
    return range === null ? new Response(file.bytes) : part(file.bytes, Number(/^bytes=(\d+)-$/.exec(range)![1]));
  }

  /** Stops the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The rest of a file from a byte on. */
export function part(bytes: Uint8Array<ArrayBuffer>, from: number): Response {
  if (from >= bytes.length) return new Response(null, { status: 416 });
  const headers = { "Content-Range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.subarray(from), { status: 206, headers });
}

/** An answer that sends some bytes and then breaks the connection. */
export function broken(bytes: Uint8Array<ArrayBuffer>, claimed: number, init: ResponseInit = {}): Response {
  let sent = false;
  const body = new ReadableStream({
    async pull(controller) {
      if (!sent) controller.enqueue(bytes);
      else {
        // The bytes must be on their way before the connection goes.
        await new Promise((done) => setTimeout(done, 30));
        controller.error(new Error("broken off on purpose"));
      }
      sent = true;
    },
  });
  return new Response(body, { ...init, headers: { ...init.headers, "Content-Length": String(claimed) } });
}

/** What `pullModel` says when it fails with a hub that `prepare` has changed; never the token. */
export async function failure(
  cache: string,
  prepare: (hub: FakeHub) => void,
  options: PullOptions = {},
): Promise<string> {
  await using hub = new FakeHub();
  prepare(hub);
  const { message } = await assertRejects(() => pullModel(REPO, { ...hub.options(cache), ...options }), HubError);
  assert(!message.includes("hf_secret"), message);
  return message.replaceAll(hub.url, "HUB");
}

/** Tells whether there is such a file or folder. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function describe(path: string, { bytes, lfs }: FakeFile): Record<string, unknown> {
  const entry = { type: "file", path, size: bytes.length };
  if (!lfs) return { ...entry, oid: gitHash(bytes) };
  const pointer = bytesOf(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\n`);
  const large = { oid: sha256(bytes), size: bytes.length, pointerSize: pointer.length };
  return { ...entry, oid: gitHash(pointer), lfs: large, xetHash: sha256(pointer) };
}
