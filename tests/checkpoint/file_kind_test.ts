import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { isFile } from "../../src/checkpoint/file_kind.ts";
import { withFolder } from "./files.ts";

Deno.test("isFile() follows links, and knows folders and parts of paths that are files for none", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "file"), "");
    await Deno.symlink("file", join(dir, "link"));
    await Deno.symlink("nowhere", join(dir, "broken"));
    const names = ["file", "link", "broken", "absent", ".", "file/inner"];
    const found = await Promise.all(names.map((name) => isFile(join(dir, name))));
    assertEquals(found, [true, true, false, false, false, false]);
  }));

Deno.test("isFile() does not take a file that cannot be looked at for none", () =>
  withFolder(async (dir) => {
    const path = join(dir, "circle");
    await Deno.symlink("circle", path);
    await assertRejects(() => isFile(path), FileError, `Cannot read ${path}: `);
  }));
