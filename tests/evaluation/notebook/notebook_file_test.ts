import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../../src/checkpoint/file_error.ts";
import { type CellOutput } from "../../../src/evaluation/notebook/cell_outputs.ts";
import {
  formatNotebook,
  mergeStreams,
  type Notebook,
  readNotebook,
} from "../../../src/evaluation/notebook/notebook_file.ts";
import { withNotebook } from "./sample_notebook.ts";

/** Writes a text where a notebook is expected, and reads it. */
async function readText(text: string): Promise<unknown> {
  const path = await Deno.makeTempFile({ suffix: ".ipynb" });
  try {
    await Deno.writeTextFile(path, text);
    return await readNotebook(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("formatNotebook() sorts keys, splits lines and drops what depends on the run", () =>
  withNotebook(["const a = 1;\na"], async (path) => {
    const notebook = await readNotebook(path);
    const outputs: CellOutput[] = [
      { output_type: "stream", name: "stdout", text: "x\n" },
      { output_type: "stream", name: "stdout", text: "y" },
      {
        output_type: "execute_result",
        metadata: {},
        data: { "text/plain": "1", "application/json": { b: 1, a: 2 } },
        execution_count: 1,
      },
    ];
    const text = formatNotebook({ path, cells: [{ ...notebook.cells[0], executionCount: 1, outputs }] });
    assertEquals(
      text,
      `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 1,
   "id": "c0",
   "metadata": {},
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "x\\n",
      "y"
     ]
    },
    {
     "data": {
      "application/json": {
       "a": 2,
       "b": 1
      },
      "text/plain": [
       "1"
      ]
     },
     "execution_count": 1,
     "metadata": {},
     "output_type": "execute_result"
    }
   ],
   "source": [
    "const a = 1;\\n",
    "a"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {
   "display_name": "Deno",
   "language": "typescript",
   "name": "deno"
  },
  "language_info": {
   "file_extension": ".ts",
   "mimetype": "text/x.typescript",
   "name": "typescript"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`,
    );
  }));

Deno.test("readNotebook() reads what formatNotebook() wrote", () =>
  withNotebook([{ source: "throw 1", tags: ["raises-exception"] }, ""], async (path) => {
    const { cells } = await readNotebook(path);
    const notebook: Notebook = {
      path,
      cells: [
        { ...cells[0], outputs: [{ output_type: "error", ename: "E", evalue: "1", traceback: ["E: 1"] }] },
        { ...cells[1], type: "markdown", source: "# Title\n\ntext\n" },
      ],
    };
    await Deno.writeTextFile(path, formatNotebook(notebook));
    assertEquals(await readNotebook(path), notebook);
  }));

Deno.test("mergeStreams() joins neighbours of one name alone", () => {
  const stream = (name: string, text: string): CellOutput => ({ output_type: "stream", name, text });
  const merged = mergeStreams([
    stream("stdout", "a"),
    stream("stdout", "b"),
    stream("stderr", "c"),
    stream("stdout", "d"),
  ]);
  assertEquals(merged, [stream("stdout", "ab"), stream("stderr", "c"), stream("stdout", "d")]);
});

Deno.test("readNotebook() refuses what is no notebook, and says where", async () => {
  const missing = await assertRejects(() => readNotebook("no/such/file.ipynb"), FileError);
  assertStringIncludes(missing.message, "Cannot read no/such/file.ipynb: there is no such file or folder");
  assertStringIncludes((await assertRejects(() => readText("{"), FileError)).message, "found text that is no JSON");
  const old = await assertRejects(() => readText('{"nbformat": 3, "cells": []}'), FileError);
  assertStringIncludes(old.message, "at nbformat found 3, wanted 4");
  const cell = await assertRejects(() => readText('{"nbformat": 4, "cells": [{"cell_type": "code"}]}'), FileError);
  assertStringIncludes(cell.message, "at cells.0.source found nothing");
});
