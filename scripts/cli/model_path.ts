import { findCachedModel } from "../../src/checkpoint/hub/cached_model.ts";

/**
 * Finds what `--model` names: a folder or file, else a model that `deno task pull` has fetched.
 *
 * @param text Path, `org/name`, `org/name@revision` or `org/name/file.gguf`.
 * @returns The path to load; the text itself if it is no name of the hub, so that loading says what is wrong with it.
 * @throws {FileError} If it is a name of the hub and not in the cache.
 */
export async function modelPath(text: string): Promise<string> {
  if (await Deno.stat(text).then(() => true, () => false)) return text;
  return await findCachedModel(text) ?? text;
}
