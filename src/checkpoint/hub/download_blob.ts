/**
 * Brings one file of a model into the cache: resumed where it was broken off, checked by its hash, then renamed.
 *
 * The download functions of `@huggingface/hub` write anew from the first byte after every break and check no hash.
 *
 * @module
 */
import { type OpenSink } from "../write_file.ts";
import { type CacheFolder, statOrNull } from "./cache_folder.ts";
import type { HubClient, HubFile } from "./hub_client.ts";
import { HubError } from "./hub_error.ts";
import type { HubResponse } from "./hub_response.ts";
import { PartialFile } from "./partial_file.ts";
import { PassingFault } from "./patience.ts";
import { nameSubject } from "./refusals.ts";

/** How a file came to be in the cache. */
export type Arrival = "cached" | "downloaded" | "resumed";

/** Bytes that must arrive in one try for it to count as progress. */
const PROGRESS_BYTES = 1 << 20;

/** Where a file comes from and goes to. */
export interface BlobRoute {
  /** The hub. */
  client: HubClient;
  /** `org/name`. */
  repo: string;
  /** Commit of the listing. */
  commit: string;
  /** Folder of the model in the cache. */
  cache: CacheFolder;
  /** Told the bytes of the file that are there. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Opens the partial file. */
  openPartial?: OpenSink | undefined;
}

/**
 * Fetches a file unless it is there.
 *
 * @param route Where it comes from and goes to.
 * @param file File of the listing.
 * @returns How it came.
 * @throws {HubError} If the hub refuses, stays away, or sends other bytes than it lists.
 * @throws {FileError} If the disk is full or another program is fetching the same file.
 */
export async function downloadBlob(route: BlobRoute, file: HubFile): Promise<Arrival> {
  const { cache, onBytes = () => {} } = route;
  const blob = cache.blob(file.hash.hex);
  const isThere = async (): Promise<boolean> => (await statOrNull(blob))?.size === file.size;
  if (!await isThere()) {
    using _lock = await cache.lock(file.hash.hex);
    // Another program may have finished it while this one asked for the lock.
    if (!await isThere()) return await fetchBlob(route, file, blob);
  }
  onBytes(file.size);
  return "cached";
}

async function fetchBlob(route: BlobRoute, file: HubFile, blob: string): Promise<Arrival> {
  using partial = await PartialFile.open(blob, file, route.openPartial);
  const resumed = partial.length > 0;
  await fill(route, file, partial);
  if (resumed && partial.digest() !== file.hash.hex) {
    // What an earlier run left may be damaged; what this one fetches from the start is judged alone.
    await partial.restart();
    await fill(route, file, partial);
  }
  const digest = partial.digest();
  if (digest !== file.hash.hex) {
    await partial.discard();
    throw new HubError(
      `Cannot fetch ${file.path} of ${route.repo}: its bytes hash to ${digest.slice(0, 12)}..., wanted ` +
        `${
          file.hash.hex.slice(0, 12)
        }... as the hub lists; they were thrown away: run the command again, and if that ` +
        `does not help check HF_ENDPOINT and any proxy`,
    );
  }
  await partial.finish(blob);
  return resumed ? "resumed" : "downloaded";
}

/** Requests bytes until all are there. */
async function fill(route: BlobRoute, file: HubFile, partial: PartialFile): Promise<void> {
  const { client, repo, commit } = route;
  const patience = client.patience();
  let ranges = true;
  // Where a server always starts anew, no more than the longest try has been gained.
  let most = partial.length;
  while (partial.length < file.size) {
    const before = partial.length;
    const from = ranges ? before : 0;
    try {
      using response = await client.open(repo, commit, file.path, from);
      const start = startOf(response, route, file);
      if (start !== from && start !== 0) {
        if (from === 0) throw lied(route, file, "answers with a part that was not asked for");
        ranges = false;
        continue;
      }
      if (response.status !== 206) refuseOtherLength(response, file);
      if (start === 0 && before > 0) await partial.restart();
      await receive(response, route, file, partial);
    } catch (fault) {
      if (fault instanceof HubError && fault.status === 416 && from > 0) {
        ranges = false;
        continue;
      }
      if (partial.length - most >= PROGRESS_BYTES) patience.renew();
      most = Math.max(most, partial.length);
      await patience.wait(nameSubject({ repo, file: file.path }), fault);
    }
  }
}

/** First byte of an answer; a server that ignores ranges starts at 0. */
function startOf({ status, headers }: HubResponse, route: BlobRoute, file: HubFile): number {
  if (status !== 206) return 0;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("Content-Range") ?? "") ?? [];
  if (total !== undefined && total !== "*" && Number(total) !== file.size) {
    throw lied(route, file, `says that it has ${total} bytes`);
  }
  return Number(start ?? NaN);
}

/** An answer of another length is another answer, the page of a proxy perhaps: no byte of it may replace or begin a file. */
function refuseOtherLength({ headers }: HubResponse, { size }: HubFile): void {
  const length = headers.get("Content-Length");
  if (length === null || headers.has("Content-Encoding") || Number(length) === size) return;
  throw new PassingFault(`the server answered with ${length} bytes in place of ${size}`);
}

async function receive(
  response: HubResponse,
  route: BlobRoute,
  file: HubFile,
  partial: PartialFile,
): Promise<void> {
  for await (const bytes of response.chunks()) {
    if (partial.length + bytes.length > file.size) {
      await partial.discard();
      throw lied(route, file, "sends more bytes");
    }
    await partial.append(bytes);
    route.onBytes?.(partial.length);
  }
  if (partial.length < file.size) {
    throw new PassingFault(`the answer ended after ${partial.length} of ${file.size} bytes`);
  }
}

function lied(route: BlobRoute, file: HubFile, found: string): HubError {
  return new HubError(
    `Cannot fetch ${
      nameSubject({ repo: route.repo, file: file.path })
    }: the server ${found}, wanted the ${file.size} ` +
      `bytes that the hub lists; run the command again, and if that does not help check HF_ENDPOINT and any proxy`,
  );
}
