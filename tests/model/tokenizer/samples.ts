/** Goldens of tokenizers, and texts with halves of surrogate pairs. */

/** Reads a file of the tokenizer goldens. */
export async function readFixture<T = unknown>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(`fixtures/goldens/tokenizer/${name}`));
}

/** Texts that UTF-8 cannot hold. */
export const SAMPLES = ["a\ud83d", "\udc00b", "\ud83d\ud83d\ude42", "e\u0301\ud800\u0323", " \udfff  x"];
