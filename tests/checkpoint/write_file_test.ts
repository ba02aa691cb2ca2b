import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { FileError } from "../../src/checkpoint/file_error.ts";
import {
  type FileSink,
  openFileSink,
  temporaryName,
  writeAtomically,
  writeFileAtomic,
} from "../../src/checkpoint/write_file.ts";
import { diskFull, failingSink, listFolder, withFolder } from "./files.ts";

Deno.test("writeFileAtomic() writes text and bytes, makes folders and leaves only the file", () =>
  withFolder(async (dir) => {
    const path = join(dir, "a", "b", "x.txt");
    await writeFileAtomic(path, "h\u00e9");
    assertEquals([...await Deno.readFile(path)], [0x68, 0xc3, 0xa9]);
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    assertEquals([...await Deno.readFile(path)], [1, 2]);
    assertEquals(await listFolder(join(dir, "a", "b")), ["x.txt"]);
  }));

Deno.test("writeAtomically() keeps the old file until the new one is whole", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.txt");
    await Deno.writeTextFile(path, "old");
    await writeAtomically(path, async (write) => {
      await write(new TextEncoder().encode("new"));
      assertEquals(await Deno.readTextFile(path), "old");
      assertEquals((await listFolder(dir)).length, 2);
    });
    assertEquals(await Deno.readTextFile(path), "new");
  }));

Deno.test("writeAtomically() passes an error of the caller unchanged and removes the temporary file", () =>
  withFolder(async (dir) => {
    const fault = new TypeError("the caller's own");
    const error = await assertRejects(() => writeAtomically(join(dir, "x.txt"), () => Promise.reject(fault)));
    assert(error === fault);
    assertEquals(await listFolder(dir), []);
  }));

Deno.test("writeFileAtomic() says that the disk is full, keeps the old file and leaves nothing new", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.txt");
    await Deno.writeTextFile(path, "old");
    const error = await assertRejects(
      () => writeFileAtomic(path, "a longer text", failingSink(4, diskFull)),
      FileError,
    );
    assertEquals(
      error.message,
      `Cannot write ${path}: the disk is full; free some space or choose another folder`,
    );
    assertEquals(await listFolder(dir), ["x.txt"]);
    assertEquals(await Deno.readTextFile(path), "old");
  }));

Deno.test({
  name: "writeFileAtomic() reports what the system says on a device without space",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (dir) => {
      const full = async (): Promise<FileSink> => {
        const file = await Deno.open("/dev/full", { write: true });
        return {
          write: async (bytes) => void await file.write(bytes),
          sync: () => file.sync(),
          close: () => file.close(),
        };
      };
      await assertRejects(() => writeFileAtomic(join(dir, "x.txt"), "text", full), FileError, "the disk is full");
      assertEquals(await listFolder(dir), []);
    }),
});

Deno.test("writeFileAtomic() says that a folder cannot be written", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.txt");
    const denied = () => Promise.reject(new Deno.errors.PermissionDenied("Permission denied (os error 13)"));
    const error = await assertRejects(() => writeFileAtomic(path, "text", denied), FileError);
    assertEquals(
      error.message,
      `Cannot write ${path}: permission was denied; change the permissions or choose another folder`,
    );
  }));

Deno.test("writeFileAtomic() says that a part of the path is a file", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "file"), "");
    await assertRejects(
      () => writeFileAtomic(join(dir, "file", "x.txt"), "text"),
      FileError,
      "a part of the path is a file where a folder was wanted; choose another folder",
    );
  }));

Deno.test("writeFileAtomic() does not replace a folder", () =>
  withFolder(async (dir) => {
    await Deno.mkdir(join(dir, "x.txt", "inner"), { recursive: true });
    await assertRejects(() => writeFileAtomic(join(dir, "x.txt"), "text"), FileError, "Cannot write");
    assertEquals(await listFolder(dir), ["x.txt"]);
  }));

Deno.test("openFileSink() does not touch a file that is there", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.txt");
    await Deno.writeTextFile(path, "old");
    await assertRejects(() => openFileSink(path), Deno.errors.AlreadyExists);
    assertEquals(await Deno.readTextFile(path), "old");
  }));

Deno.test("temporaryName() gives what no earlier run can have left, though in a container each has the same number", () => {
  const names = Array.from({ length: 100 }, () => temporaryName("x.txt"));
  assertEquals(new Set(names).size, 100);
  assert(names.every((name) => /^x\.txt\.[0-9a-f]{8}\.tmp$/.test(name)));
});

Deno.test("writeAtomically() tells what failed first where the temporary file cannot be removed either", () =>
  withFolder(async (dir) => {
    const path = join(dir, "x.txt");
    const { remove } = Deno;
    try {
      Deno.remove = () => Promise.reject(new Error("Input/output error (os error 5)"));
      await assertRejects(() => writeFileAtomic(path, "text", failingSink(1, diskFull)), FileError, "the disk is full");
    } finally {
      Deno.remove = remove;
    }
  }));
