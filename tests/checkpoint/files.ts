/** Files that the tests of the checkpoint folder make: temporary folders and raw safetensors bytes. */

import { join } from "node:path";
import type { FileSink } from "../../src/checkpoint/write_file.ts";

/** Runs a test in a fresh folder that is removed afterwards. */
export async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Bytes of a safetensors file, put together by hand so that anything can be wrong with it. */
export function rawFile(header: unknown, dataBytes: number, claimedLength?: bigint): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** Writes a raw file into a folder; returns its path. */
export async function writeRaw(
  dir: string,
  header: unknown,
  dataBytes: number,
  claimedLength?: bigint,
): Promise<string> {
  const path = join(dir, "x.safetensors");
  await Deno.writeFile(path, rawFile(header, dataBytes, claimedLength));
  return path;
}

/** Names of the files in a folder, sorted. */
export async function listFolder(dir: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir), (entry) => entry.name);
  return names.sort();
}

/** A sink on the disk that takes some bytes and then fails as the system does. */
export function failingSink(after: number, failure: () => Error): (path: string) => Promise<FileSink> {
  return async (path: string) => {
    const file = await Deno.open(path, { write: true, createNew: true });
    let left = after;
    return {
      async write(bytes: Uint8Array): Promise<void> {
        await file.write(bytes.subarray(0, Math.min(left, bytes.length)));
        left -= bytes.length;
        if (left < 0) throw failure();
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
}

/** What the system raises when a disk is full. */
export function diskFull(): Error {
  return Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
}
