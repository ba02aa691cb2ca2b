import { join } from "node:path";
import { FileError, fileError } from "../file_error.ts";
import { CacheFolder, statOrNull } from "./cache_folder.ts";
import { MAIN, parseModelName } from "./repo_name.ts";

/**
 * Finds a model that was fetched before.
 *
 * @param name `org/name`, `org/name@revision`, `org/name/file.gguf`.
 * @param cacheDir Folder of the cache. Default: that of the Python library.
 * @returns Folder of the model, or its GGUF file; null if the text is no name of a model on the hub.
 * @throws {FileError} If it is not in the cache, or holds several GGUF files and none is named.
 */
export async function findCachedModel(name: string, cacheDir?: string): Promise<string | null> {
  const parsed = parseModelName(name);
  if (!parsed) return null;
  const { repo, revision, file } = parsed;
  const cache = new CacheFolder(repo, cacheDir);
  const flags = `${revision === MAIN ? "" : ` --revision ${revision}`}${file === undefined ? "" : ` --gguf ${file}`}`;
  const commit = await cache.commitOf(revision);
  const snapshot = commit === null ? null : cache.snapshot(commit);
  const absent = new FileError(
    cache.root,
    `Cannot find ${name}: there is no such folder, and no such model in the cache ${cache.root}; ` +
      `check the path, or fetch the model: deno task pull ${repo}${flags}`,
  );
  if (snapshot === null || !await statOrNull(snapshot)) throw absent;
  if (file !== undefined) {
    const path = join(snapshot, ...file.split("/"));
    if (await statOrNull(path)) return path;
    throw absent;
  }
  if (await statOrNull(join(snapshot, "config.json"))) return snapshot;
  const ggufs = await listGgufs(snapshot);
  if (ggufs.length === 1) return join(snapshot, ...ggufs[0]!.split("/"));
  if (ggufs.length === 0) throw absent;
  throw new FileError(
    snapshot,
    `Cannot choose a GGUF file of ${name}: the cache holds ${ggufs.join(", ")}; give one, as ${name}/${ggufs[0]}`,
  );
}

/** GGUF files below a folder, parts joined by `/`. */
async function listGgufs(dir: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      if (isDirectory) found.push(...await listGgufs(join(dir, name), `${prefix}${name}/`));
      else if (/\.gguf$/i.test(name)) found.push(`${prefix}${name}`);
    }
  } catch (cause) {
    throw fileError("read", dir, cause);
  }
  return found.sort();
}
