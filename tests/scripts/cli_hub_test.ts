import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { listFolder, withFolder } from "../checkpoint/files.ts";
import { COMMIT, FakeHub, REPO, sha256 } from "../checkpoint/hub/fake_hub.ts";

const MODEL = "fixtures/world/world-qwen3";
const ROOT = `${import.meta.dirname}/../..`;
const SECRET = "hf_secret";

/** A hub with a real small model. */
async function worldHub(): Promise<FakeHub> {
  const hub = new FakeHub();
  hub.files = new Map();
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    hub.files.set(name, { bytes: await Deno.readFile(join(ROOT, MODEL, name)), lfs: name.endsWith(".safetensors") });
  }
  return hub;
}

/** Starts a command with a cache and a hub of its own. */
function start(cache: string, hub: FakeHub | null, name: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `scripts/${name}.ts`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", HF_HUB_CACHE: cache, HF_TOKEN: SECRET, HF_ENDPOINT: hub?.url ?? "http://127.0.0.1:9" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Waits for a command; neither stream may hold the token. */
async function ended(child: Deno.ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, ...streams } = await child.output();
  const [stdout, stderr] = [streams.stdout, streams.stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(!`${stdout}${stderr}`.includes(SECRET));
  return { code, stdout: stdout!, stderr: stderr! };
}

Deno.test("pull fetches a model that ask then answers with, by its name alone", () =>
  withFolder(async (cache) => {
    await using hub = await worldHub();
    const pulled = await ended(start(cache, hub, "pull", REPO, "--json"));
    assertEquals(pulled.code, 0, pulled.stderr);
    const { commit, files, path } = JSON.parse(pulled.stdout);
    assertEquals([commit, path], [COMMIT, join(cache, "models--some-org--tiny-model", "snapshots", COMMIT)]);
    assertEquals(files.length, 3);
    assertStringIncludes(pulled.stderr, "model.safetensors: 3.6 MiB");
    assert(hub.seen.every(({ authorization }) => authorization === `Bearer ${SECRET}`));
    const asked = await ended(start(cache, hub, "ask", "--model", REPO, "The capital of France is"));
    assertEquals([asked.code, asked.stdout.trim()], [0, "Paris"], asked.stderr);
  }));

Deno.test("pull stopped by Ctrl-C keeps what has arrived, says so, and goes on from there", () =>
  withFolder(async (cache) => {
    await using hub = await worldHub();
    const { bytes } = hub.files.get("model.safetensors")!;
    const half = bytes.subarray(0, 1_000_000);
    const open = new AbortController();
    hub.override = (_, { path }) => {
      if (!path.endsWith("model.safetensors")) return null;
      return new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(half);
            // The rest never comes; the signal follows once the half has had time to arrive.
            const timer = setTimeout(() => child.kill("SIGINT"), 1500);
            open.signal.addEventListener("abort", () => clearTimeout(timer));
          },
        }),
      );
    };
    const child = start(cache, hub, "pull", REPO);
    const { code, stderr } = await ended(child);
    open.abort();
    assertEquals(code, 130, stderr);
    assertStringIncludes(
      stderr,
      "What has arrived is kept; the same command goes on from there\nStopped; no file is half written",
    );
    const blobs = join(cache, "models--some-org--tiny-model", "blobs");
    assert((await listFolder(blobs)).includes(`${sha256(bytes)}.incomplete`));
    hub.override = () => null;
    const again = await ended(start(cache, hub, "pull", REPO, "--json"));
    const weights = JSON.parse(again.stdout).files.find((file: { path: string }) => file.path === "model.safetensors");
    assertEquals([again.code, weights.arrival], [0, "resumed"]);
    assertEquals(hub.requestsOf("model.safetensors").at(-1)!.range, "bytes=1000000-");
  }));

Deno.test("pull refuses a family that cannot be loaded before it fetches weights", () =>
  withFolder(async (cache) => {
    await using hub = await worldHub();
    hub.files.get("config.json")!.bytes = new TextEncoder().encode('{"model_type": "mamba"}');
    const { code, stdout, stderr } = await ended(start(cache, hub, "pull", REPO));
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, 'found model_type "mamba", a recurrent model, wanted a dense text model');
    assertEquals(hub.requestsOf("model.safetensors"), []);
  }));

const FAILURES: [number, string[], string][] = [
  [2, ["pull"], "missing required argument 'org/name'"],
  [2, ["pull", "gpt2"], 'Cannot use "gpt2" as the name of a model on the hub: wanted org/name'],
  [2, ["pull", REPO, "--revision", "../x"], 'Cannot use "../x" as a revision: wanted a branch, a tag or a commit'],
  [2, ["pull", REPO, "--no-such-flag"], "--no-such-flag"],
  [1, ["pull", REPO, "--out", "deno.json/out.json"], "Cannot write deno.json: a part of the path is a file"],
  [1, ["ask", "--model", REPO, "Hello"], "no such model in the cache"],
  [1, ["ask", "--model", `${REPO}@v2`, "Hello"], `deno task pull ${REPO} --revision v2`],
  [1, ["ask", "--model", `${REPO}/a/b.gguf`, "Hello"], `deno task pull ${REPO} --gguf a/b.gguf`],
];

for (const [status, [name, ...args], message] of FAILURES) {
  Deno.test(`${[name, ...args].join(" ")} exits with ${status} and says what is wrong`, () =>
    withFolder(async (cache) => {
      const { code, stdout, stderr } = await ended(start(cache, null, name!, ...args));
      assertEquals([code, stdout], [status, ""]);
      assertStringIncludes(stderr, message);
    }));
}
