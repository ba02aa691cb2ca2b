/**
 * The cache folder that the Python library `huggingface_hub` keeps, so that both find each other's files:
 * `models--org--name/{blobs/<hash>, refs/<revision>, snapshots/<commit>/<path> -> ../../blobs/<hash>}`.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { getHFHubCachePath, getRepoFolderName } from "@huggingface/hub";
import { FileError, fileError } from "../file_error.ts";
import { removeIfThere, temporaryName, writeFileAtomic } from "../write_file.ts";

/** One model in the cache. */
export class CacheFolder {
  /** Folder of the whole cache. */
  readonly root: string;
  readonly #repo: string;
  readonly #folder: string;

  /**
   * Names the folder; nothing is read or made.
   *
   * @param repo `org/name`.
   * @param root Folder of the whole cache. Default: HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub.
   */
  constructor(repo: string, root: string = getHFHubCachePath()) {
    this.root = root;
    this.#repo = repo;
    this.#folder = getRepoFolderName({ type: "model", name: repo });
  }

  /** File with the bytes of a hash. */
  blob(hex: string): string {
    return join(this.root, this.#folder, "blobs", hex);
  }

  /** Folder that looks like the model at a commit. */
  snapshot(commit: string): string {
    return join(this.root, this.#folder, "snapshots", commit);
  }

  /**
   * Finds the commit that a revision stood for when it was last fetched.
   *
   * @param revision Branch, tag or commit.
   * @returns The commit, or null if there is none here.
   */
  async commitOf(revision: string): Promise<string | null> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    try {
      const commit = (await Deno.readTextFile(this.#ref(revision))).trim();
      return /^[0-9a-f]{40}$/.test(commit) ? commit : null;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return null;
      throw fileError("read", this.#ref(revision), cause);
    }
  }

  /** Remembers what commit a revision stands for. @throws {FileError} If it cannot be written. */
  async remember(revision: string, commit: string): Promise<void> {
    if (revision !== commit) await writeFileAtomic(this.#ref(revision), commit);
  }

  /**
   * Makes a blob appear under its name in a snapshot: as a symbolic link, else a hard link, else a copy.
   *
   * @param commit Commit of the snapshot.
   * @param path Checked path in it.
   * @param hex Hash of the blob, which is there.
   * @returns The path of the file.
   * @throws {FileError} If the folder cannot be written.
   */
  async link(commit: string, path: string, hex: string): Promise<string> {
    const blob = this.blob(hex);
    const pointer = join(this.snapshot(commit), ...path.split("/"));
    let temporary: string | undefined;
    try {
      await Deno.mkdir(dirname(pointer), { recursive: true });
      const [there, wanted] = [await statOrNull(pointer), await Deno.stat(blob)];
      if (there?.isFile && there.size === wanted.size) return pointer;
      // Renamed, as another program may put its own link there at the same time, and a copy may end half done.
      temporary = temporaryName(pointer);
      await linkOrCopy(blob, temporary);
      await Deno.rename(temporary, pointer);
      return pointer;
    } catch (cause) {
      if (temporary !== undefined) await removeIfThere(temporary).catch(() => {});
      throw fileError("write", pointer, cause);
    }
  }

  /**
   * Keeps other programs, the Python library too, from fetching the same blob at the same time.
   *
   * @param hex Hash of the blob.
   * @returns Disposing it lets others in.
   * @throws {FileError} If another program is at it, or the folder cannot be written.
   */
  async lock(hex: string): Promise<Disposable> {
    const path = join(this.root, ".locks", this.#folder, `${hex}.lock`);
    let file: Deno.FsFile;
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      file = await Deno.open(path, { create: true, write: true });
    } catch (cause) {
      throw fileError("write", path, cause);
    }
    // Some network folders know no locks; there the hash alone guards.
    const free = await file.tryLock(true).catch(() => true);
    if (free) return file;
    file.close();
    throw new FileError(
      path,
      `Cannot fetch ${this.#repo}: another program is fetching the same file into ${this.root}; ` +
        `wait until it is done, then run the command again`,
    );
  }

  #ref(revision: string): string {
    return join(this.root, this.#folder, "refs", ...revision.split("/"));
  }
}

/** Makes a blob appear under a name beside the one that it shall get. */
async function linkOrCopy(blob: string, path: string): Promise<void> {
  try {
    await Deno.symlink(relative(dirname(path), blob), path, { type: "file" });
  } catch {
    await Deno.link(blob, path).catch(() => Deno.copyFile(blob, path));
  }
}

/** Describes a file, following links; null if there is none. */
export async function statOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return null;
    throw fileError("read", path, cause);
  }
}
