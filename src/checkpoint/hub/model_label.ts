import { basename, resolve } from "node:path";

/** A path inside the cache of the hub: the folder of a repository, a commit, and a path in it. */
const CACHED = /[\\/]models--([^\\/]+)[\\/]snapshots[\\/][0-9a-f]{40}(?:[\\/](.+))?$/;

/**
 * What to call the model at a path: `org/name` where it lies in the cache of the hub, with the path of its file if it is
 * one; elsewhere the last part of the path.
 *
 * @param path Folder or file of the model.
 */
export function modelLabel(path: string): string {
  const full = resolve(path);
  const [, folder, inner] = CACHED.exec(full) ?? [];
  if (folder === undefined) return basename(full);
  const repo = folder.replaceAll("--", "/");
  return inner === undefined ? repo : `${repo}/${inner.replaceAll("\\", "/")}`;
}
