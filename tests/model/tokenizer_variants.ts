/** Folders with changed copies of the world's tokenizer. */

import { join } from "node:path";

/**
 * Runs a test on a changed copy of the world's tokenizer in a temporary folder; added tokens are appended.
 *
 * @param changes Fields of tokenizer.json to replace; `undefined` removes one.
 * @param files Further JSON files of the folder, by name.
 * @param test Gets the folder.
 */
export async function withTokenizer(
  changes: Record<string, unknown>,
  files: Record<string, unknown>,
  test: (dir: string) => Promise<void>,
): Promise<void> {
  const base = JSON.parse(await Deno.readTextFile("fixtures/world/world-gptj/tokenizer.json"));
  const added = changes["added_tokens"] as unknown[] | undefined;
  const tokens = changes["model"] === undefined ? [...base.added_tokens, ...added ?? []] : added;
  const dir = await Deno.makeTempDir();
  try {
    const whole = { ...base, ...changes, added_tokens: tokens };
    for (const [name, content] of Object.entries({ "tokenizer.json": whole, ...files })) {
      await Deno.writeTextFile(join(dir, name), JSON.stringify(content));
    }
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
