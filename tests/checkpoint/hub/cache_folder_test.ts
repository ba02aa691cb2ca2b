import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { CacheFolder } from "../../../src/checkpoint/hub/cache_folder.ts";
import { FileError } from "../../../src/checkpoint/file_error.ts";
import { diskFull, listFolder, withFolder } from "../files.ts";
import { COMMIT, REPO } from "./fake_hub.ts";

const HEX = "ab".repeat(32);
const TEXT = "what the file holds";

type Replaced = Pick<typeof Deno, "symlink" | "link" | "copyFile">;

/** A cache with one blob, while functions of the system are replaced. */
async function withBlob(
  replaced: (pointer: string, real: Replaced) => Partial<Replaced>,
  test: (cache: CacheFolder, pointer: string) => Promise<void>,
): Promise<void> {
  const { symlink, link, copyFile } = Deno;
  const real = { symlink, link, copyFile };
  await withFolder(async (root) => {
    const cache = new CacheFolder(REPO, root);
    const pointer = join(cache.snapshot(COMMIT), "config.json");
    await Deno.mkdir(dirname(cache.blob(HEX)), { recursive: true });
    await Deno.writeTextFile(cache.blob(HEX), TEXT);
    try {
      Object.assign(Deno, replaced(pointer, real));
      await test(cache, pointer);
    } finally {
      Object.assign(Deno, real);
    }
  });
}

Deno.test("CacheFolder.link() does not fail where another program makes the same link first", () =>
  withBlob(
    (pointer, { symlink }) => ({
      async symlink(target, path, options) {
        await symlink(target, pointer).catch(() => {});
        await symlink(target, path, options);
      },
    }),
    async (cache, pointer) => {
      assertEquals(await cache.link(COMMIT, "config.json", HEX), pointer);
      assertEquals(await Deno.readTextFile(cache.blob(HEX)), TEXT);
      assertEquals(await Deno.readTextFile(pointer), TEXT);
      assertEquals(await listFolder(dirname(pointer)), ["config.json"]);
    },
  ));

Deno.test("CacheFolder.link() copies where the disk knows no links, and leaves no half copy where it is full", () => {
  const no = (): Promise<never> => Promise.reject(new Deno.errors.NotSupported("no links here"));
  let full = true;
  return withBlob(
    (_, { copyFile }) => ({
      symlink: no,
      link: no,
      async copyFile(from, to) {
        if (!full) return await copyFile(from, to);
        await Deno.writeTextFile(to, TEXT.slice(0, 5));
        throw diskFull();
      },
    }),
    async (cache, pointer) => {
      const error = await assertRejects(() => cache.link(COMMIT, "config.json", HEX), FileError);
      assertEquals(
        error.message,
        `Cannot write ${pointer}: the disk is full; free some space or choose another folder`,
      );
      assertEquals(await listFolder(dirname(pointer)), []);
      full = false;
      await cache.link(COMMIT, "config.json", HEX);
      assertEquals(await Deno.readTextFile(pointer), TEXT);
    },
  );
});
