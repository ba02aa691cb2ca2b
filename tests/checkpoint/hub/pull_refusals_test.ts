import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { downloadFileToCacheDir } from "@huggingface/hub";
import { join } from "node:path";
import { FileError } from "../../../src/checkpoint/file_error.ts";
import { CacheFolder } from "../../../src/checkpoint/hub/cache_folder.ts";
import { HubClient } from "../../../src/checkpoint/hub/hub_client.ts";
import { HubError } from "../../../src/checkpoint/hub/hub_error.ts";
import { openAtEnd } from "../../../src/checkpoint/hub/partial_file.ts";
import { pullModel, type PullOptions } from "../../../src/checkpoint/hub/pull_model.ts";
import { diskFull, withFolder } from "../files.ts";
import { bytesOf, COMMIT, exists, failure, FakeHub, noise, REPO, sha256, WEIGHTS } from "./fake_hub.ts";

const BLOBS = "models--some-org--tiny-model/blobs";
const CONVERSION = "python3 -c 'import transformers as t; " +
  't.AutoModelForCausalLM.from_pretrained("some-org/tiny-model").save_pretrained("tiny-model"); ' +
  't.AutoTokenizer.from_pretrained("some-org/tiny-model").save_pretrained("tiny-model")\'';

const LACKING: [string, (hub: FakeHub) => void, PullOptions, string][] = [
  [
    "no safetensors but pytorch_model.bin",
    (hub) => {
      hub.files.delete("model.safetensors");
      hub.files.set("pytorch_model-00001-of-00002.bin", { bytes: noise(9), lfs: true });
    },
    {},
    "Cannot use some-org/tiny-model: its weights are in pytorch_model.bin, which may run code when it is read, wanted " +
    `model.safetensors; convert it with Python: ${CONVERSION}`,
  ],
  [
    "nothing but GGUF files",
    (hub) => {
      hub.files.delete("model.safetensors");
      hub.files.set("tiny-q8_0.gguf", { bytes: noise(9), lfs: true });
    },
    {},
    "Cannot use some-org/tiny-model: it has neither model.safetensors nor model.safetensors.index.json; choose one of " +
    'its 1 GGUF files: --gguf "tiny-q8_0.gguf"',
  ],
  [
    "no weights",
    (hub) => hub.files.delete("model.safetensors"),
    {},
    "Cannot use some-org/tiny-model: it has neither model.safetensors nor model.safetensors.index.json; choose a model " +
    "with safetensors weights",
  ],
  [
    "no tokenizer.json",
    (hub) => hub.files.delete("tokenizer.json"),
    {},
    `Cannot use some-org/tiny-model: it has no tokenizer.json; make one with Python: ${CONVERSION}`,
  ],
  [
    "no config.json",
    (hub) => hub.files.delete("config.json"),
    {},
    "Cannot use some-org/tiny-model: it has no config.json; choose a model in the layout of transformers",
  ],
  [
    "a shard that is not there",
    (hub) => {
      hub.files.delete("model.safetensors");
      const bytes = bytesOf('{"weight_map": {"a": "model-1.safetensors"}}');
      hub.files.set("model.safetensors.index.json", { bytes, lfs: false });
    },
    {},
    "Cannot use some-org/tiny-model: its model.safetensors.index.json names model-1.safetensors, which it does not " +
    "have; choose another revision",
  ],
  [
    "no GGUF file",
    () => {},
    { gguf: "*q4*" },
    "Cannot use some-org/tiny-model: it has no GGUF file; leave --gguf out to fetch its safetensors weights",
  ],
  [
    "several GGUF files that fit",
    (hub) => ["a-q4_0", "a-q4_1", "a-q8_0"].forEach((n) => hub.files.set(`${n}.gguf`, { bytes: noise(9), lfs: true })),
    { gguf: "*q4*" },
    'Cannot choose a GGUF file of some-org/tiny-model by "*q4*": several fit; give --gguf one of "a-q4_0.gguf" (0 MB), ' +
    '"a-q4_1.gguf" (0 MB)',
  ],
  [
    "no GGUF file that fits",
    (hub) => hub.files.set("a-q4_0.gguf", { bytes: noise(9), lfs: true }),
    { gguf: "q4_0" },
    'Cannot choose a GGUF file of some-org/tiny-model by "q4_0": none fits; give --gguf one of "a-q4_0.gguf" (0 MB)',
  ],
  [
    "a GGUF file outside its folder",
    (hub) => hub.files.set("../../evil.gguf", { bytes: noise(9), lfs: true }),
    { gguf: "*evil*" },
    'Cannot use some-org/tiny-model: the hub lists the file "../../evil.gguf", which leads out of its folder',
  ],
];

for (const [what, prepare, options, wanted] of LACKING) {
  Deno.test(`pullModel() refuses a model with ${what} before it fetches anything`, () =>
    withFolder(async (cache) => {
      assertStringIncludes(await failure(cache, prepare, options), wanted);
    }));
}

Deno.test("pullModel() says that the disk is full, keeps what has arrived and goes on from there", () =>
  withFolder(async (cache) => {
    await using hub = new FakeHub();
    const openPartial: PullOptions["openPartial"] = async (path) => {
      const sink = await openAtEnd(path);
      let left = 50_000;
      return {
        ...sink,
        write: async (bytes) => {
          await sink.write(bytes.subarray(0, left));
          left -= bytes.length;
          if (left < 0) throw diskFull();
        },
      };
    };
    const error = await assertRejects(() => pullModel(REPO, { ...hub.options(cache), openPartial }), FileError);
    const blob = join(cache, BLOBS, sha256(WEIGHTS));
    assertEquals(
      error.message,
      `Cannot write ${blob}.incomplete: the disk is full; free some space or choose another folder`,
    );
    assertEquals((await Deno.stat(`${blob}.incomplete`)).size, 50_000);
    assert(!await exists(blob));
    hub.seen.length = 0;
    await pullModel(REPO, hub.options(cache));
    assertEquals(hub.requestsOf("model.safetensors").map(({ range }) => range), ["bytes=50000-"]);
    assertEquals(await Deno.readFile(blob), WEIGHTS);
  }));

Deno.test("pullModel() leaves a file alone that another program is fetching", () =>
  withFolder(async (cache) => {
    await using hub = new FakeHub();
    using _other = await new CacheFolder(REPO, cache).lock(sha256(WEIGHTS));
    await assertRejects(
      () => pullModel(REPO, hub.options(cache)),
      FileError,
      `Cannot fetch some-org/tiny-model: another program is fetching the same file into ${cache}; ` +
        "wait until it is done, then run the command again",
    );
  }));

for (const name of ["gpt2", "a/b/c", "../etc", "a/..", "a--b/c", "a/b.git", "-a/b", `a/${"b".repeat(96)}`, "a/b c"]) {
  Deno.test(`pullModel() refuses the name ${JSON.stringify(name.slice(0, 20))} without asking the hub`, async () => {
    const { message } = await assertRejects(() => pullModel(name), TypeError);
    assertEquals(
      message,
      `Cannot use ${JSON.stringify(name)} as the name of a model on the hub: wanted org/name, for example ` +
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    );
  });
}

Deno.test("pullModel() refuses a revision that is a path out of the cache", async () => {
  for (const revision of ["../../x", "a/../b", "", "a b", "C:\\x"]) {
    const { message } = await assertRejects(() => pullModel(REPO, { revision }), TypeError);
    assertEquals(
      message,
      `Cannot use ${JSON.stringify(revision)} as a revision: wanted a branch, a tag or a commit, for example main`,
    );
  }
});

Deno.test("HubClient refuses an address that is none and a token that cannot be sent, without showing them", () => {
  for (
    const endpoint of [
      "hub.example",
      "ftp://hub.example",
      "https://me:secret@hub.example",
      "https://:secret@h",
      "https://h/?secret=1",
    ]
  ) {
    const { message } = assertThrows(() => new HubClient({ endpoint }), HubError);
    assertEquals(
      message,
      "Cannot use HF_ENDPOINT: found no web address, wanted one like https://huggingface.co; correct or unset it",
    );
  }
  const { message } = assertThrows(() => new HubClient({ token: "hf_secret\nX: 1" }), HubError);
  assertEquals(message, "Cannot use HF_TOKEN: it holds characters that no token has; copy the token again");
});

Deno.test("downloadFileToCacheDir() of @huggingface/hub checks no hash and fetches anew after a break, unlike pullModel()", () =>
  withFolder(async (cacheDir) => {
    await using hub = new FakeHub();
    hub.override = (request, { path }) => {
      if (path.includes("/paths-info/")) {
        return Response.json([{ type: "file", path: "config.json", size: 4, oid: "0".repeat(40) }]);
      }
      const range = request.headers.get("Range") === "bytes=0-0" ? { "Content-Range": "bytes 0-0/4" } : {};
      return new Response("evil", { status: 206, headers: { ETag: '"x"', "Content-Range": "bytes 0-3/4", ...range } });
    };
    const common = { repo: REPO, path: "config.json", revision: COMMIT, cacheDir, hubUrl: hub.url };
    const blob = join(cacheDir, BLOBS, "0".repeat(40));
    await Deno.mkdir(join(cacheDir, BLOBS), { recursive: true });
    await Deno.writeTextFile(`${blob}.incomplete`, "ev");
    await downloadFileToCacheDir(common);
    assertEquals(await Deno.readTextFile(blob), "evil");
    assert(hub.seen.every(({ range }) => !range?.startsWith("bytes=2")));
  }));
