import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { HubError } from "../../../src/checkpoint/hub/hub_error.ts";
import { parseRetryAfter } from "../../../src/checkpoint/hub/patience.ts";
import { pullModel, type PullOptions } from "../../../src/checkpoint/hub/pull_model.ts";
import { withFolder } from "../files.ts";
import { broken, exists, failure, FakeHub, noise, part, REPO, sha256, WEIGHTS } from "./fake_hub.ts";

const FOLDER = "models--some-org--tiny-model";
const BLOBS = `${FOLDER}/blobs`;
/** Answers every request with a status; the text repeats what it was sent, as a hostile server may. */
function always(status: number, code?: string): (hub: FakeHub) => void {
  return (hub) => {
    hub.override = (_, { authorization }) => {
      const headers = code === undefined ? {} : { "X-Error-Code": code };
      return Response.json({ error: `You sent ${authorization}` }, { status, headers });
    };
  };
}

/** Answers requests for the weights. */
function weights(answer: (from: number) => Response): (hub: FakeHub) => void {
  return (hub) => {
    hub.override = (_, { path, range }) =>
      path.endsWith("model.safetensors") ? answer(range ? Number(range.slice(6, -1)) : 0) : null;
  };
}

/** A body whose length no header tells. */
function stream(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([bytes]).stream();
}

const REFUSALS: [string, (hub: FakeHub) => void, PullOptions, string][] = [
  [
    "status 401 without a token",
    always(401, "RepoNotFound"),
    {},
    "Cannot fetch some-org/tiny-model: status 401: the hub wants to know who asks, or there is no such model; check " +
    "the name at HUB/some-org/tiny-model, and if the model is private or gated set HF_TOKEN to a token that may read it " +
    "(HUB/settings/tokens)",
  ],
  [
    "status 401 with a token",
    always(401),
    { token: "hf_secret" },
    "Cannot fetch some-org/tiny-model: status 401: the hub does not take the token in HF_TOKEN, or there is no such " +
    "model; make a new token that may read it (HUB/settings/tokens) and check the name at HUB/some-org/tiny-model",
  ],
  [
    "a gated model without a token",
    always(401, "GatedRepo"),
    {},
    "Cannot fetch some-org/tiny-model: status 401: access to this model must be asked for; do so at " +
    "HUB/some-org/tiny-model, and set HF_TOKEN to a token of that account",
  ],
  [
    "status 403",
    always(403),
    { token: "hf_secret" },
    "Cannot fetch some-org/tiny-model: status 403: the hub does not let you read it; ask for access at " +
    "HUB/some-org/tiny-model, with the account of your HF_TOKEN",
  ],
  [
    "status 404",
    always(404),
    {},
    "Cannot fetch some-org/tiny-model: status 404: the hub has no such model or revision; check the name at " +
    "HUB/some-org/tiny-model, and set HF_TOKEN if it is private",
  ],
  [
    "status 404 for a revision",
    always(404, "RevisionNotFound"),
    { revision: "v9" },
    "Cannot fetch some-org/tiny-model: status 404: it has no revision v9; choose one of " +
    "HUB/some-org/tiny-model/tree/main",
  ],
  [
    "status 404 for a listed file",
    weights(() => new Response(null, { status: 404 })),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: status 404: the hub lists this file and does not have it; " +
    "run the command again",
  ],
  [
    "status 418",
    always(418),
    {},
    "Cannot fetch some-org/tiny-model: status 418: found an answer that no download gives; check HF_ENDPOINT and run " +
    "the command again",
  ],
  [
    "status 500, five times",
    always(500),
    { token: "hf_secret" },
    "Cannot fetch some-org/tiny-model: the hub answered with status 500, 5 times in a row; check the network and " +
    "HF_ENDPOINT, then run the command again: what has arrived is kept",
  ],
  [
    "status 429 with a long wait",
    (hub) => hub.override = () => new Response(null, { status: 429, headers: { "Retry-After": "3600" } }),
    {},
    "Cannot fetch some-org/tiny-model: the hub says that there were too many requests (status 429) and asks to wait " +
    "3600 s; run the command again after that time",
  ],
  [
    "a page in the place of a list",
    (hub) => hub.override = () => new Response("<html>Log in to this network</html>"),
    {},
    "Cannot fetch some-org/tiny-model: HUB answered with something that is no list of files; check HF_ENDPOINT",
  ],
  [
    "a commit that is a path",
    (hub) =>
      hub.override = (_, { path }) =>
        path.includes("/revision/") ? Response.json({ sha: "../../../etc", lastModified: "2026-01-01" }) : null,
    {},
    "Cannot fetch some-org/tiny-model: HUB answered with something that is no list of files; check HF_ENDPOINT",
  ],
  [
    "a hash that is a path",
    (hub) => hub.files.get("config.json")!.listed = { oid: "../../../../etc/passwd" },
    {},
    "Cannot fetch some-org/tiny-model: HUB answered with something that is no list of files; check HF_ENDPOINT",
  ],
  [
    "a list that does not end",
    (hub) =>
      hub.override = (request, { path }) =>
        path.includes("/tree/") ? Response.json([], { headers: { Link: `<${request.url}>; rel="next"` } }) : null,
    {},
    "Cannot fetch some-org/tiny-model: the list of files leads away from HUB or does not end; check HF_ENDPOINT",
  ],
  [
    "a list that goes on elsewhere",
    (hub) =>
      hub.override = (_, { path }) =>
        path.includes("/tree/")
          ? Response.json([], { headers: { Link: '<http://127.0.0.1:9/api>; rel="next"' } })
          : null,
    {},
    "Cannot fetch some-org/tiny-model: the list of files leads away from HUB or does not end; check HF_ENDPOINT",
  ],
  [
    "redirects in a circle",
    weights(() => new Response(null, { status: 302, headers: { Location: "model.safetensors" } })),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the hub redirects more than 5 times or away from the web; " +
    "check HF_ENDPOINT",
  ],
  [
    "a redirect to a local file",
    weights(() => new Response(null, { status: 302, headers: { Location: "file:///etc/passwd" } })),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the hub redirects more than 5 times or away from the web; " +
    "check HF_ENDPOINT",
  ],
  [
    "an answer that always breaks off",
    weights(() => broken(WEIGHTS.slice(0, 9), WEIGHTS.length)),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the connection failed or broke off, 5 times in a row; " +
    "check the network and HF_ENDPOINT, then run the command again: what has arrived is kept",
  ],
  [
    "an answer that is always too short",
    weights(() => new Response(stream(WEIGHTS.slice(0, 7)))),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the answer ended after 7 of 300000 bytes, 5 times in a " +
    "row; check the network and HF_ENDPOINT, then run the command again: what has arrived is kept",
  ],
  [
    "a page of a proxy in the place of a file",
    weights(() => new Response("<html>Log in to this network</html>")),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the server answered with 35 bytes in place of 300000, 5 " +
    "times in a row; check the network and HF_ENDPOINT, then run the command again: what has arrived is kept",
  ],
  [
    "an answer that stalls",
    weights(() => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))),
    { stallMs: 100 },
    "Cannot fetch model.safetensors of some-org/tiny-model: no byte came for 0.1 s, 5 times in a row; check the " +
    "network and HF_ENDPOINT, then run the command again: what has arrived is kept",
  ],
  [
    "an answer that is too long",
    weights(() => new Response(stream(noise(300_001)))),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the server sends more bytes, wanted the 300000 bytes that " +
    "the hub lists; run the command again, and if that does not help check HF_ENDPOINT and any proxy",
  ],
  [
    "a size that the list does not have",
    weights((from) => from === 0 ? broken(WEIGHTS.slice(0, 50), 300_000) : part(noise(299_999), from)),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the server says that it has 299999 bytes, wanted the " +
    "300000 bytes that the hub lists; run the command again, and if that does not help check HF_ENDPOINT and any proxy",
  ],
  [
    "a part that nobody asked for",
    weights(() => part(WEIGHTS, 7)),
    {},
    "Cannot fetch model.safetensors of some-org/tiny-model: the server answers with a part that was not asked for, " +
    "wanted the 300000 bytes that the hub lists; run the command again, and if that does not help check HF_ENDPOINT " +
    "and any proxy",
  ],
  [
    "other bytes than listed",
    weights(() => new Response(WEIGHTS.toReversed())),
    {},
    `Cannot fetch model.safetensors of some-org/tiny-model: its bytes hash to ${
      sha256(WEIGHTS.toReversed()).slice(0, 12)
    }..., wanted ${sha256(WEIGHTS).slice(0, 12)}... as the hub lists; they were thrown away: run the command again, ` +
    `and if that does not help check HF_ENDPOINT and any proxy`,
  ],
  [
    "other bytes of a small file than listed",
    (hub) =>
      hub.override = (_, { path }) => path.endsWith("/config.json") ? new Response('{"model_type": "gptj!"}') : null,
    {},
    "Cannot fetch config.json of some-org/tiny-model: its bytes hash to",
  ],
];

for (const [what, prepare, options, wanted] of REFUSALS) {
  Deno.test(`pullModel() meets ${what} with one clear error and leaves no half file`, () =>
    withFolder(async (cache) => {
      assertStringIncludes(await failure(cache, prepare, options), wanted);
      const blob = join(cache, BLOBS, sha256(WEIGHTS));
      assertEquals(await Promise.all([blob, join(cache, FOLDER, "refs")].map(exists)), [false, false]);
    }));
}

Deno.test("pullModel() waits as long as the hub asks, then goes on", () =>
  withFolder(async (cache) => {
    await using hub = new FakeHub();
    let busy = 2;
    const waits: number[] = [];
    hub.override = () =>
      busy-- > 0 ? new Response(null, { status: 429, headers: { "Retry-After": String(busy) } }) : null;
    const patience = { firstWaitMs: 50_000, onWait: (_: string, waitMs: number) => waits.push(waitMs) };
    await pullModel(REPO, { ...hub.options(cache), patience });
    assertEquals(waits, [1000, 0]);
  }));

Deno.test("parseRetryAfter() reads seconds and dates, and nothing else", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const texts = ["7", "Thu, 01 Jan 2026 00:00:30 GMT", "Wed, 31 Dec 2025 00:00:00 GMT", "soon", null];
  assertEquals(texts.map((text) => parseRetryAfter(text, now)), [7000, 30_000, 0, undefined, undefined]);
});

Deno.test("pullModel() says that the hub is out of reach", () =>
  withFolder(async (cache) => {
    const hub = new FakeHub();
    const options = hub.options(cache);
    await hub[Symbol.asyncDispose]();
    const { message } = await assertRejects(() => pullModel(REPO, options), HubError);
    assertEquals(
      message,
      "Cannot fetch some-org/tiny-model: the connection failed or broke off, 5 times in a row; check the network and " +
        "HF_ENDPOINT, then run the command again: what has arrived is kept",
    );
  }));
