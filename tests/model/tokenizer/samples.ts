/**
 * Goldens of tokenizers, and texts with halves of surrogate pairs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Tokenizer } from "../../../src/model/tokenizer.ts";

/** Reads a file of the tokenizer goldens. */
export async function readFixture<T = unknown>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(`fixtures/goldens/tokenizer/${name}`));
}

/** Holds a tokenizer of SmolLM2 against ids, offsets and decoded texts of the Python library. */
export async function assertSmolLm2(tokenizer: Tokenizer): Promise<void> {
  const goldens = await readFixture<{ text: string; ids: number[]; offsets: number[][]; decoded: string }[]>(
    "smollm2.json",
  );
  assertEquals(goldens.length, 2000);
  for (const { text, ids, offsets, decoded } of goldens) {
    const got = tokenizer.encodeWithOffsets(text);
    assertEquals([got.ids, got.offsets], [ids, offsets], JSON.stringify(text));
    assertEquals(tokenizer.decode(ids), decoded);
  }
}

/** Texts that UTF-8 cannot hold. */
export const SAMPLES = ["a\ud83d", "\udc00b", "\ud83d\ud83d\ude42", "e\u0301\ud800\u0323", " \udfff  x"];
