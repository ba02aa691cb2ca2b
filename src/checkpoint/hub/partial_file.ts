/**
 * A file that is still arriving: its bytes so far lie under `<hash>.incomplete`, as the Python library names them.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import { fileError } from "../file_error.ts";
import { type FileSink, type OpenSink } from "../write_file.ts";
import { statOrNull } from "./cache_folder.ts";
import type { HubFile } from "./hub_client.ts";

/** Bytes read at once while hashing what is there. */
const READ_BYTES = 1 << 20;

/**
 * Opens a file to go on writing at its end.
 *
 * @param path File, made if it is missing.
 * @returns A sink that the caller closes.
 */
export async function openAtEnd(path: string): Promise<FileSink> {
  const file = await Deno.open(path, { append: true, create: true });
  return {
    async write(bytes: Uint8Array): Promise<void> {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** A growing file with the hash of what it holds. */
export class PartialFile implements Disposable {
  readonly #path: string;
  readonly #file: HubFile;
  readonly #open: OpenSink;
  #sink: FileSink | undefined;
  #hash: Hash;
  #length = 0;

  private constructor(path: string, file: HubFile, open: OpenSink) {
    this.#path = path;
    this.#file = file;
    this.#open = open;
    this.#hash = startHash(file);
  }

  /**
   * Opens what an earlier try left, or an empty file.
   *
   * @param blob Final path.
   * @param file What it shall hold.
   * @param open Opens the partial file at its end.
   * @returns The open file; disposing it keeps its bytes for the next try.
   * @throws {FileError} If the folder cannot be read or written.
   */
  static async open(blob: string, file: HubFile, open: OpenSink = openAtEnd): Promise<PartialFile> {
    const partial = new PartialFile(`${blob}.incomplete`, file, open);
    await partial.#onDisk(() => Deno.mkdir(dirname(blob), { recursive: true }));
    const there = await statOrNull(partial.#path);
    if (there && there.size > file.size) await partial.discard();
    else if (there) await partial.#readBack();
    partial.#sink = await partial.#onDisk(() => open(partial.#path));
    return partial;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Hash of the bytes so far, in hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Adds bytes at the end. @throws {FileError} If the disk is full. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#onDisk(() => this.#sink!.write(bytes));
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  /** Removes the file; what was in it is forgotten. */
  async discard(): Promise<void> {
    this[Symbol.dispose]();
    await this.#onDisk(() => Deno.remove(this.#path));
    this.#hash = startHash(this.#file);
    this.#length = 0;
  }

  /** Begins anew with an empty file. */
  async restart(): Promise<void> {
    await this.discard();
    this.#sink = await this.#onDisk(() => this.#open(this.#path));
  }

  /** Gives the file its final name. @throws {FileError} If the disk is full. */
  async finish(blob: string): Promise<void> {
    await this.#onDisk(() => this.#sink!.sync());
    this[Symbol.dispose]();
    await this.#onDisk(() => Deno.rename(this.#path, blob));
  }

  /** Closes the file; its bytes stay. */
  [Symbol.dispose](): void {
    this.#sink?.close();
    this.#sink = undefined;
  }

  async #readBack(): Promise<void> {
    using source = await this.#onDisk(() => Deno.open(this.#path));
    const buffer = new Uint8Array(READ_BYTES);
    for (let count = await source.read(buffer); count !== null; count = await source.read(buffer)) {
      this.#hash.update(buffer.subarray(0, count));
      this.#length += count;
    }
  }

  async #onDisk<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
  }
}

/** The hash that the hub lists: SHA-256 of the bytes, or git's SHA-1, which begins with kind and size. */
function startHash({ hash, size }: HubFile): Hash {
  return hash.kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}
