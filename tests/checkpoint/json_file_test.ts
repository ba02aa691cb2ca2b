import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { z } from "zod";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { readJsonFile, validateJson } from "../../src/checkpoint/json_file.ts";
import { withFolder } from "./files.ts";

const schema = z.object({
  layers: z.number().int().min(1),
  kind: z.enum(["a", "b"]).default("a"),
  names: z.array(z.string()).optional(),
});

Deno.test("readJsonFile() gives the checked value with its defaults", () =>
  withFolder(async (dir) => {
    const path = join(dir, "config.json");
    await Deno.writeTextFile(path, '{"layers": 3, "other": true}');
    assertEquals(await readJsonFile(path, schema), { layers: 3, kind: "a" });
  }));

Deno.test("readJsonFile() says that a file is missing", () =>
  withFolder(async (dir) => {
    const path = join(dir, "config.json");
    const error = await assertRejects(() => readJsonFile(path, schema), FileError);
    assertEquals(error.message, `Cannot read ${path}: there is no such file or folder; check the path`);
    assertEquals(error.path, path);
  }));

Deno.test("readJsonFile() says that a path is a folder", () =>
  withFolder(async (dir) => {
    await assertRejects(() => readJsonFile(dir, schema), FileError, "it is a folder; give the path of a file");
  }));

Deno.test("readJsonFile() says that a text is no JSON", () =>
  withFolder(async (dir) => {
    const path = join(dir, "config.json");
    await Deno.writeTextFile(path, '{"layers": 3');
    await assertRejects(() => readJsonFile(path, schema), FileError, `Cannot read ${path}: found text that is no JSON`);
  }));

Deno.test("validateJson() names the place, the found and the wanted", () => {
  const cases: [unknown, string][] = [
    [3, "at the top level found 3, wanted object"],
    [{}, "at layers found nothing, wanted number"],
    [{ layers: "many" }, 'at layers found "many", wanted number'],
    [{ layers: 0 }, "at layers found 0: Too small: expected number to be >=1"],
    [{ layers: 1, kind: "c" }, 'at kind found "c", wanted "a" or "b"'],
    [{ layers: 1, names: ["x", 2] }, "at names.1 found 2, wanted string"],
    [{ layers: 1, names: [1, 2, 3, 4, 5] }, "at names.2 found 3, wanted string; and 2 more; correct the file"],
    [{ layers: "x".repeat(100) }, `at layers found "${"x".repeat(59)}..., wanted number`],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => validateJson("config.json", value, schema), FileError, message);
  }
});
