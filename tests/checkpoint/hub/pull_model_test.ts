import { assert, assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { FileError } from "../../../src/checkpoint/file_error.ts";
import { HubError } from "../../../src/checkpoint/hub/hub_error.ts";
import { pullModel } from "../../../src/checkpoint/hub/pull_model.ts";
import { refuseQuantisedFolder } from "../../../src/checkpoint/quantised_folder.ts";
import { listFolder, withFolder } from "../files.ts";
import { broken, bytesOf, COMMIT, FakeHub, gitHash, noise, part, REPO, sha256, WEIGHTS } from "./fake_hub.ts";

const FOLDER = "models--some-org--tiny-model";
const BLOB = sha256(WEIGHTS);

/** Runs a test with a hub and an empty cache. */
function withHub(test: (hub: FakeHub, cache: string) => Promise<void>): () => Promise<void> {
  return () =>
    withFolder(async (cache) => {
      await using hub = new FakeHub();
      await test(hub, cache);
    });
}

/** Lets the weights be answered by `answers` in turn, and by the hub after them. */
function answerWeights(hub: FakeHub, ...answers: ((from: number) => Response)[]): void {
  hub.override = (_, { path, range }) =>
    path.endsWith("model.safetensors") ? answers.shift()?.(range ? Number(range.slice(6, -1)) : 0) ?? null : null;
}

Deno.test(
  "pullModel() fetches only needed files, into the layout of the Python library",
  withHub(async (hub, cache) => {
    const { path, files, ...rest } = await pullModel(REPO, hub.options(cache));
    assertEquals(rest, { repo: REPO, revision: "main", commit: COMMIT });
    assertEquals(path, join(cache, FOLDER, "snapshots", COMMIT));
    const names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"];
    assertEquals(await listFolder(path), names);
    assertEquals(files.map((file) => file.path).sort(), names);
    const blobs = names.map((name) => name === "model.safetensors" ? BLOB : gitHash(hub.files.get(name)!.bytes));
    assertEquals(await listFolder(join(cache, FOLDER, "blobs")), blobs.sort());
    assertEquals(await Deno.readTextFile(join(cache, FOLDER, "refs", "main")), COMMIT);
    assertEquals(await Deno.readLink(join(path, "model.safetensors")), `../../blobs/${BLOB}`);
    assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    assert(files.every(({ arrival }) => arrival === "downloaded"));
  }),
);

Deno.test(
  "pullModel() fetches nothing twice, and no blob of another revision",
  withHub(async (hub, cache) => {
    await pullModel(REPO, hub.options(cache));
    hub.seen.length = 0;
    const again = await pullModel(REPO, { ...hub.options(cache), revision: "refs/pr/1" });
    assert(again.files.every(({ arrival }) => arrival === "cached"));
    assert(hub.seen.every(({ path }) => path.startsWith("/api/")));
    assertEquals(await Deno.readTextFile(join(cache, FOLDER, "refs", "refs", "pr", "1")), COMMIT);
  }),
);

Deno.test(
  "pullModel() fetches the shards that the index names, and no other weights",
  withHub(async (hub, cache) => {
    const map = { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" };
    hub.files.delete("model.safetensors");
    hub.files.set("model.safetensors.index.json", { bytes: bytesOf(JSON.stringify({ weight_map: map })), lfs: false });
    for (const i of [1, 2, 3]) hub.files.set(`model-${i}.safetensors`, { bytes: noise(100 + i), lfs: true });
    const { path } = await pullModel(REPO, hub.options(cache));
    const weights = (await listFolder(path)).filter((name) => name.includes("safetensors"));
    assertEquals(weights, ["model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"]);
  }),
);

Deno.test(
  "pullModel() fetches one GGUF file by a pattern, from a folder too",
  withHub(async (hub, cache) => {
    hub.files.set("quants/Tiny-Q4_1.gguf", { bytes: noise(50), lfs: true });
    hub.files.set("quants/Tiny-Q8_0.gguf", { bytes: noise(60), lfs: true });
    const { path, files } = await pullModel(REPO, { ...hub.options(cache), gguf: "*q4_1*" });
    assertEquals(path, join(cache, FOLDER, "snapshots", COMMIT, "quants", "Tiny-Q4_1.gguf"));
    assertEquals(files.map((file) => file.path), ["quants/Tiny-Q4_1.gguf"]);
    assertEquals(await Deno.readLink(path), `../../../blobs/${sha256(noise(50))}`);
  }),
);

Deno.test(
  "pullModel() goes on where an answer broke off, with one request for the rest",
  withHub(async (hub, cache) => {
    answerWeights(hub, () => broken(WEIGHTS.slice(0, 120_000), WEIGHTS.length));
    const { path } = await pullModel(REPO, hub.options(cache));
    assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    assertEquals(hub.requestsOf("model.safetensors").map(({ range }) => range), [null, "bytes=120000-"]);
  }),
);

Deno.test(
  "pullModel() goes on where an earlier run was stopped, and says so",
  withHub(async (hub, cache) => {
    const stop = new AbortController();
    answerWeights(hub, () => broken(WEIGHTS.slice(0, 90_000), WEIGHTS.length));
    const onProgress = (_: string, bytes: number): void => {
      if (bytes >= 90_000) stop.abort(new DOMException("Stopped by Ctrl-C", "AbortError"));
    };
    const stopped = { ...hub.options(cache), signal: stop.signal, onProgress };
    await assertRejects(() => pullModel(REPO, stopped), DOMException, "Stopped by Ctrl-C");
    assertEquals((await Deno.stat(join(cache, FOLDER, "blobs", `${BLOB}.incomplete`))).size, 90_000);
    hub.seen.length = 0;
    const { path, files } = await pullModel(REPO, hub.options(cache));
    assertEquals(files.find((file) => file.path === "model.safetensors")!.arrival, "resumed");
    assertEquals(hub.requestsOf("model.safetensors").map(({ range }) => range), ["bytes=90000-"]);
    assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    assert(!(await listFolder(join(cache, FOLDER, "blobs"))).some((name) => name.endsWith(".incomplete")));
  }),
);

for (
  const [what, second] of [
    ["ignores ranges", () => new Response(WEIGHTS)],
    ["answers with another range", () => part(WEIGHTS, 5)],
    ["refuses ranges", () => new Response(null, { status: 416 })],
  ] as [string, () => Response][]
) {
  Deno.test(
    `pullModel() begins anew when a server ${what}`,
    withHub(async (hub, cache) => {
      answerWeights(hub, () => broken(WEIGHTS.slice(0, 70_000), WEIGHTS.length), second);
      const { path } = await pullModel(REPO, hub.options(cache));
      assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    }),
  );
}

Deno.test(
  "pullModel() keeps what has arrived when a proxy answers with a page of its own in between",
  withHub(async (hub, cache) => {
    const page = (): Response => new Response("<html>Log in to this network</html>");
    answerWeights(hub, page, () => broken(WEIGHTS.slice(0, 70_000), WEIGHTS.length), page, page);
    const { path } = await pullModel(REPO, hub.options(cache));
    assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    const ranges = hub.requestsOf("model.safetensors").map(({ range }) => range);
    assertEquals(ranges, [null, null, ...Array(3).fill("bytes=70000-")]);
  }),
);

Deno.test(
  "pullModel() gives up where a server always starts anew and breaks off, now sooner, now later",
  withHub(async (hub, cache) => {
    const large = noise(4 << 20);
    hub.files.set("model.safetensors", { bytes: large, lfs: true });
    let tries = 0;
    hub.override = (_, { path }) =>
      path.endsWith("model.safetensors") ? broken(large.slice(0, (1 + tries++ % 2) << 20), large.length) : null;
    await assertRejects(() => pullModel(REPO, hub.options(cache)), HubError, "5 times in a row");
    assert(tries <= 7, `${tries} tries`);
  }),
);

Deno.test(
  "pullModel() begins anew when what an earlier run left is damaged or too long",
  withHub(async (hub, cache) => {
    const blobs = join(cache, FOLDER, "blobs");
    await Deno.mkdir(blobs, { recursive: true });
    for (const left of [noise(50_001).slice(1), noise(400_000)]) {
      await Deno.writeFile(join(blobs, `${BLOB}.incomplete`), left);
      const { path } = await pullModel(REPO, hub.options(cache));
      assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
      await Deno.remove(join(blobs, BLOB));
    }
  }),
);

Deno.test(
  "pullModel() replaces a link that leads nowhere and a blob of another size",
  withHub(async (hub, cache) => {
    const { path } = await pullModel(REPO, hub.options(cache));
    await Deno.truncate(join(cache, FOLDER, "blobs", BLOB), 10);
    await Deno.remove(join(path, "config.json"));
    await Deno.symlink("../../blobs/nowhere", join(path, "config.json"));
    await pullModel(REPO, hub.options(cache));
    assertEquals(await Deno.readFile(join(path, "model.safetensors")), WEIGHTS);
    assertEquals(await Deno.readFile(join(path, "config.json")), hub.files.get("config.json")!.bytes);
  }),
);

Deno.test(
  "pullModel() looks at the config before it fetches weights",
  withHub(async (hub, cache) => {
    const checkConfig = (path: string): Promise<void> =>
      Promise.reject(new TypeError(`no such family in ${path.split("/").at(-1)}`));
    await assertRejects(
      () => pullModel(REPO, { ...hub.options(cache), checkConfig }),
      TypeError,
      "no such family in config.json",
    );
    assertEquals(hub.requestsOf("model.safetensors"), []);
  }),
);

Deno.test(
  "pullModel() fetches the file that older GPTQ folders name their method in, before weights",
  withHub(async (hub, cache) => {
    hub.files.set("quantize_config.json", { bytes: bytesOf('{"bits":4,"group_size":128}'), lfs: false });
    const checkConfig = (path: string): Promise<void> => refuseQuantisedFolder(dirname(path));
    await assertRejects(
      () => pullModel(REPO, { ...hub.options(cache), checkConfig }),
      FileError,
      'quantize_config.json: found weights quantised by "gptq", wanted F32, F16 or BF16 weights',
    );
    assertEquals(hub.requestsOf("model.safetensors"), []);
  }),
);

Deno.test(
  "pullModel() sends the token to the hub alone, not to where it redirects",
  withHub(async (hub, cache) => {
    await using store = new FakeHub();
    hub.override = (_, { path }) =>
      path.endsWith("model.safetensors")
        ? new Response(null, { status: 302, headers: { Location: `${store.url}${path}?signature=1` } })
        : null;
    await pullModel(REPO, { ...hub.options(cache), token: "hf_secret" });
    assert(hub.seen.every(({ authorization }) => authorization === "Bearer hf_secret"));
    assertEquals(store.seen.map(({ authorization }) => authorization), [null]);
    assertEquals(hub.requestsOf("model.safetensors").length, 1);
  }),
);
