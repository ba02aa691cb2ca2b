import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { CacheFolder } from "../../../src/checkpoint/hub/cache_folder.ts";
import { modelLabel } from "../../../src/checkpoint/hub/model_label.ts";
import { COMMIT, REPO } from "./fake_hub.ts";

Deno.test("modelLabel() names a model of the cache by its repository, not by its commit", () => {
  const snapshot = new CacheFolder(REPO, "/cache/hub").snapshot(COMMIT);
  assertEquals(modelLabel(snapshot), REPO);
  assertEquals(modelLabel(`${snapshot}/`), REPO);
  assertEquals(modelLabel(join(snapshot, "gguf", "tiny.Q4_1.gguf")), `${REPO}/gguf/tiny.Q4_1.gguf`);
  assertEquals(modelLabel(`/cache/models--gpt2/snapshots/${COMMIT}`), "gpt2");
});

Deno.test("modelLabel() names any other model by the last part of its path", () => {
  assertEquals(modelLabel("fixtures/world/world-gptj/"), "world-gptj");
  assertEquals(modelLabel("models/tiny.gguf"), "tiny.gguf");
  assertEquals(modelLabel(`/cache/models--some-org--tiny/blobs/${COMMIT}`), COMMIT);
});
