import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { ResultsFile } from "../../src/evaluation/results_file.ts";
import { withFolder } from "../checkpoint/files.ts";

const SCHEMA = z.object({ id: z.number(), text: z.string() });

/** Runs `body` on the path of a file in a folder that is not there yet. */
const withPath = (body: (path: string) => Promise<void>): Promise<void> =>
  withFolder((dir) => body(`${dir}/new/results.jsonl`));

Deno.test("ResultsFile makes its folder and gives back what it was given, over several openings", async () => {
  await withPath(async (path) => {
    {
      using results = await ResultsFile.open(path, SCHEMA);
      assertEquals(results.rows, []);
      await results.append({ id: 1, text: "a\nb" });
      assertEquals(await Deno.readTextFile(path), '{"id":1,"text":"a\\nb"}\n');
    }
    {
      using results = await ResultsFile.open(path, SCHEMA);
      await results.append({ id: 2, text: "Brasília" });
    }
    using results = await ResultsFile.open(path, SCHEMA);
    assertEquals(results.rows, [{ id: 1, text: "a\nb" }, { id: 2, text: "Brasília" }]);
  });
});

Deno.test("ResultsFile.open() takes a line away that a stop cut off, in the middle of a character too", async () => {
  await withPath(async (path) => {
    await Deno.mkdir(path.slice(0, -"/results.jsonl".length));
    const whole = new TextEncoder().encode('{"id":1,"text":"é"}\n');
    const cut = new TextEncoder().encode('{"id":2,"text":"é').slice(0, -1);
    await Deno.writeFile(path, new Uint8Array([...whole, ...cut]));
    {
      using results = await ResultsFile.open(path, SCHEMA);
      assertEquals(results.rows, [{ id: 1, text: "é" }]);
      await results.append({ id: 3, text: "c" });
    }
    assertEquals(await Deno.readTextFile(path), '{"id":1,"text":"é"}\n{"id":3,"text":"c"}\n');
  });
});

Deno.test("ResultsFile.open() refuses a file with other content and leaves it as it was", async () => {
  await withPath(async (path) => {
    await Deno.mkdir(path.slice(0, -"/results.jsonl".length));
    for (
      const [content, message] of [
        ['{"id":1,"text":"a"}\nnot json\nrest', "line 2 is no JSON; remove the line"],
        ['{"id":"1","text":"a"}\nrest', 'at id found "1", wanted number'],
      ]
    ) {
      await Deno.writeTextFile(path, content);
      await assertRejects(() => ResultsFile.open(path, SCHEMA), FileError, message);
      assertEquals(await Deno.readTextFile(path), content);
    }
  });
});

Deno.test("ResultsFile.open() refuses a file that another run has open, and takes it once that has ended", async () => {
  await withPath(async (path) => {
    {
      using first = await ResultsFile.open(path, SCHEMA);
      await first.append({ id: 1, text: "a" });
      const error = await assertRejects(() => ResultsFile.open(path, SCHEMA), FileError);
      assertEquals(
        error.message,
        `Cannot write ${path}: another run has it open; wait for its end, or choose another folder with --out`,
      );
      await first.append({ id: 2, text: "b" });
    }
    using second = await ResultsFile.open(path, SCHEMA);
    assertEquals(second.rows.map(({ id }) => id), [1, 2]);
  });
});

Deno.test("ResultsFile.open() says which path cannot be written", async () => {
  await withPath(async (path) => {
    const folder = path.slice(0, -"/new/results.jsonl".length);
    await Deno.writeTextFile(`${folder}/new`, "");
    await assertRejects(() => ResultsFile.open(path, SCHEMA), FileError, "a part of the path is a file");
  });
});
