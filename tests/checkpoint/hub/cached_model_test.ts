import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { FileError } from "../../../src/checkpoint/file_error.ts";
import { findCachedModel } from "../../../src/checkpoint/hub/cached_model.ts";
import { withFolder } from "../files.ts";
import { COMMIT, REPO } from "./fake_hub.ts";

/** Puts empty files into a snapshot. */
async function fill(cache: string, commit: string, ...paths: string[]): Promise<string> {
  const snapshot = join(cache, "models--some-org--tiny-model", "snapshots", commit);
  for (const path of paths) {
    await Deno.mkdir(dirname(join(snapshot, path)), { recursive: true });
    await Deno.writeTextFile(join(snapshot, path), "");
  }
  return snapshot;
}

/** Writes a ref as the Python library does. */
async function refer(cache: string, revision: string, commit: string): Promise<void> {
  const ref = join(cache, "models--some-org--tiny-model", "refs", revision);
  await Deno.mkdir(dirname(ref), { recursive: true });
  await Deno.writeTextFile(ref, commit);
}

Deno.test("findCachedModel() finds a folder by branch, pull request and commit", () =>
  withFolder(async (cache) => {
    const other = COMMIT.replace("0", "f");
    const [main, pr] = [await fill(cache, COMMIT, "config.json"), await fill(cache, other, "config.json")];
    await refer(cache, "main", COMMIT);
    await refer(cache, "refs/pr/1", other);
    assertEquals(await findCachedModel(REPO, cache), main);
    assertEquals(await findCachedModel(`${REPO}@refs/pr/1`, cache), pr);
    assertEquals(await findCachedModel(`${REPO}@${other}`, cache), pr);
  }));

Deno.test("findCachedModel() finds a GGUF file, the only one or a named one", () =>
  withFolder(async (cache) => {
    const snapshot = await fill(cache, COMMIT, "quants/a.gguf");
    await refer(cache, "main", COMMIT);
    assertEquals(await findCachedModel(REPO, cache), join(snapshot, "quants", "a.gguf"));
    await fill(cache, COMMIT, "b.gguf");
    assertEquals(await findCachedModel(`${REPO}/quants/a.gguf`, cache), join(snapshot, "quants", "a.gguf"));
    assertEquals(await findCachedModel(`${REPO}@main/b.gguf`, cache), join(snapshot, "b.gguf"));
    const { message } = await assertRejects(() => findCachedModel(REPO, cache), FileError);
    assertEquals(
      message,
      `Cannot choose a GGUF file of ${REPO}: the cache holds b.gguf, quants/a.gguf; give one, as ${REPO}/b.gguf`,
    );
  }));

Deno.test("findCachedModel() says how to fetch what is not there", () =>
  withFolder(async (cache) => {
    const { message } = await assertRejects(() => findCachedModel(REPO, cache), FileError);
    assertEquals(
      message,
      `Cannot find ${REPO}: there is no such folder, and no such model in the cache ${cache}; check the path, or fetch ` +
        `the model: deno task pull ${REPO}`,
    );
    await refer(cache, "main", "../../../../etc");
    await assertRejects(() => findCachedModel(REPO, cache), FileError, "no such model in the cache");
  }));

Deno.test("findCachedModel() leaves alone what is no name of the hub", async () => {
  for (const path of ["model", "./a/b", "/a/b", "a/b/c", "a/b/", "~/b", "a/b@../c", "a/b/../c.gguf", "a\\b"]) {
    assertEquals(await findCachedModel(path, "/nonexistent"), null, path);
  }
});
