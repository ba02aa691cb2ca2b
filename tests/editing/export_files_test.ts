import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { nameDtype, writeFolder } from "../../src/editing/export_files.ts";
import { diskFull, listFolder, withFolder } from "../checkpoint/files.ts";

Deno.test("writeFolder() fills a folder that is there without replacing it, where the working folder is it too", () =>
  withFolder(async (dir) => {
    const { ino } = await Deno.stat(dir);
    const before = Deno.cwd();
    Deno.chdir(dir);
    try {
      await writeFolder(".", async (temporary) => {
        for (const name of ["config.json", "model.safetensors"]) await Deno.writeTextFile(`${temporary}/${name}`, name);
        assertEquals((await listFolder(dir)).length, 1);
      });
      assertEquals(await listFolder("."), ["config.json", "model.safetensors"]);
    } finally {
      Deno.chdir(before);
    }
    assertEquals((await Deno.stat(dir)).ino, ino);
    assertEquals(await Deno.readTextFile(`${dir}/config.json`), "config.json");
  }));

Deno.test("writeFolder() leaves an empty folder empty where the last step fails, and what came into it meanwhile alone", () =>
  withFolder(async (dir) => {
    const fill = async (temporary: string): Promise<void> => {
      for (const name of ["a", "config.json"]) await Deno.writeTextFile(`${temporary}/${name}`, name);
    };
    const { rename } = Deno;
    try {
      Deno.rename = (from, to) => String(to).endsWith("config.json") ? Promise.reject(diskFull()) : rename(from, to);
      const error = await assertRejects(() => writeFolder(dir, fill), FileError);
      assertEquals(error.message, `Cannot write ${dir}: the disk is full; free some space or choose another folder`);
    } finally {
      Deno.rename = rename;
    }
    assertEquals(await listFolder(dir), []);
    const late = (temporary: string): Promise<void> =>
      fill(temporary).then(() => Deno.writeTextFile(`${dir}/a`, "mine"));
    await assertRejects(() => writeFolder(dir, late), FileError, "found a folder that holds a, wanted none");
    assertEquals(await listFolder(dir), ["a"]);
    assertEquals(await Deno.readTextFile(`${dir}/a`), "mine");
  }));

Deno.test("writeFolder() does not replace what another export made meanwhile", () =>
  withFolder(async (dir) => {
    const out = `${dir}/out`;
    const other = (): Promise<void> => writeFolder(out, (temporary) => Deno.writeTextFile(`${temporary}/a`, "first"));
    await assertRejects(() => writeFolder(out, other), FileError, `Cannot write ${out}: `);
    assertEquals(await listFolder(dir), ["out"]);
    assertEquals(await Deno.readTextFile(`${out}/a`), "first");
  }));

Deno.test("nameDtype() changes one value of a config and no other byte", () => {
  const text = '{\n  "a": 1.0,\n  "torch_dtype": "bfloat16",\n  "eps": 1e-05\n}';
  assertEquals(nameDtype(text, "float32"), text.replace("bfloat16", "float32"));
  const both = '{"dtype": null, "torch_dtype": "float16", "a": 0.0}';
  assertEquals(nameDtype(both, "float32"), '{"dtype": "float32", "torch_dtype": "float32", "a": 0.0}');
  assertEquals(nameDtype('{"a": 1.0}', "float32"), '{\n  "torch_dtype": "float32","a": 1.0}');
  const nested = { part: { dtype: "int8" }, torch_dtype: "float16" };
  assertEquals(JSON.parse(nameDtype(JSON.stringify(nested), "float32")), { ...nested, torch_dtype: "float32" });
});
