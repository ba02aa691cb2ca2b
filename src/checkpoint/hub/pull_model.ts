/**
 * Fetches a model from the hub into the cache: what is needed of it, each file once, checked by its hash.
 *
 * @module
 */
import { join } from "node:path";
import { indexSchema } from "../checkpoint_folder.ts";
import { readJsonFile } from "../json_file.ts";
import type { OpenSink } from "../write_file.ts";
import { CacheFolder } from "./cache_folder.ts";
import { type Arrival, type BlobRoute, downloadBlob } from "./download_blob.ts";
import { chooseFolderFiles, chooseGguf, chooseShards } from "./file_choice.ts";
import { HubClient, type HubClientOptions, type HubFile } from "./hub_client.ts";
import { MAIN, repoName, revisionName } from "./repo_name.ts";

/** Options of {@linkcode pullModel}. */
export interface PullOptions extends HubClientOptions {
  /** Branch, tag or commit. Default: main. */
  revision?: string;
  /** Name or pattern of one GGUF file to fetch instead of the safetensors weights. */
  gguf?: string;
  /** Folder of the cache. Default: that of the Python library. */
  cacheDir?: string;
  /** Looks at `config.json` before any weight is fetched; what it raises ends the download. */
  checkConfig?: (path: string) => Promise<void>;
  /** Told of the file that arrives, its bytes so far and its size. */
  onProgress?: (file: string, bytes: number, size: number) => void;
  /** Opens partial files. */
  openPartial?: OpenSink;
}

/** A file in the cache. */
export interface PulledFile {
  /** Path in the model. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Hash that it was checked by: SHA-256, or SHA-1 of the git blob. */
  readonly hash: string;
  /** Whether it was there, came whole, or was resumed. */
  readonly arrival: Arrival;
}

/** A model in the cache. */
export interface PulledModel {
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit that was asked for. */
  readonly revision: string;
  /** Commit that it stands for. */
  readonly commit: string;
  /** Folder of the model, or its GGUF file. */
  readonly path: string;
  /** Its files. */
  readonly files: readonly PulledFile[];
}

/**
 * Fetches a model.
 *
 * @param repo `org/name`.
 * @param options Revision, cache, hub.
 * @returns Where it is and how each file came.
 * @throws {TypeError} If the name or the revision cannot be one.
 * @throws {HubError} If the hub cannot be reached, refuses, lacks a file or sends wrong bytes.
 * @throws {FileError} If the disk is full or the folder cannot be written; what has arrived is kept for the next try.
 */
export async function pullModel(repo: string, options: PullOptions = {}): Promise<PulledModel> {
  const revision = revisionName(options.revision ?? MAIN);
  const client = new HubClient(options);
  const cache = new CacheFolder(repoName(repo), options.cacheDir);
  const { commit, files } = await client.list(repo, revision);
  const pulled: PulledFile[] = [];
  const fetchAll = async (wanted: readonly HubFile[]): Promise<void> => {
    for (const file of wanted) {
      const { path, size, hash } = file;
      const route: BlobRoute = {
        client,
        repo,
        commit,
        cache,
        onBytes: (bytes) => options.onProgress?.(path, bytes, size),
        openPartial: options.openPartial,
      };
      const arrival = await downloadBlob(route, file);
      await cache.link(commit, path, hash.hex);
      pulled.push({ path, size, hash: hash.hex, arrival });
    }
  };
  const snapshot = cache.snapshot(commit);
  let path = snapshot;
  if (options.gguf === undefined) {
    const { small, weights } = chooseFolderFiles(repo, files);
    await fetchAll(small);
    await options.checkConfig?.(join(snapshot, "config.json"));
    await fetchAll([weights]);
    if (weights.path.endsWith(".json")) {
      const { weight_map: map } = await readJsonFile(join(snapshot, weights.path), indexSchema);
      await fetchAll(chooseShards(repo, files, Object.values(map)));
    }
  } else {
    const file = chooseGguf(repo, files, options.gguf);
    await fetchAll([file]);
    path = join(snapshot, ...file.path.split("/"));
  }
  await cache.remember(revision, commit);
  return { repo, revision, commit, path, files: pulled };
}
