/**
 * What an exported folder holds beside weights: the config with the type of the weights, and copies of the tokenizer's
 * files.
 *
 * @module
 */
import { basename, join } from "node:path";
import { FileError, fileError } from "../checkpoint/file_error.ts";
import { temporaryName } from "../checkpoint/write_file.ts";

/** What makes a folder a model. */
const CONFIG = "config.json";

/** Files that Python's `transformers` looks for beside config and weights. */
const COPIED = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  "chat_template.jinja",
];

/**
 * Copies the files that describe the tokenizer and generation, where a model has them.
 *
 * @param from Folder of the model.
 * @param to Folder to write.
 * @returns Their names.
 * @throws {FileError} If one cannot be read or written.
 */
export async function copyDescription(from: string, to: string): Promise<string[]> {
  const copied: string[] = [];
  for (const name of COPIED) {
    try {
      await Deno.copyFile(join(from, name), join(to, name));
      copied.push(name);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) continue;
      throw fileError("write", join(to, name), cause);
    }
  }
  return copied;
}

/**
 * Names the type that Python loads weights in, leaving every other byte of a config as it is: its readers tell 1 from 1.0.
 *
 * @param text A `config.json`.
 * @param dtype Type by PyTorch's name, for example `float32`.
 * @returns The config with that type under the keys that old and new releases of `transformers` read.
 */
export function nameDtype(text: string, dtype: string): string {
  const config = JSON.parse(text) as Record<string, unknown>;
  const wanted = { ...config, ...("dtype" in config ? { dtype } : {}), torch_dtype: dtype };
  let named = text.replace(/"(torch_dtype|dtype)"(\s*:\s*)(?:"[^"]*"|null)/g, `"$1"$2"${dtype}"`);
  if (!("torch_dtype" in config)) named = named.replace("{", `{\n  "torch_dtype": "${dtype}",`);
  return sameJson(JSON.parse(named), wanted) ? named : `${JSON.stringify(wanted, null, 2)}\n`;
}

function sameJson(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const sorted = (value: Record<string, unknown>): string => JSON.stringify(Object.entries(value).sort());
  return sorted(a) === sorted(b);
}

/**
 * Passes a folder that may be written: one that is not there, or is empty.
 *
 * @param dir The folder.
 * @param own Name of what is in it all the same. Default: nothing.
 * @returns Whether there is a folder.
 * @throws {FileError} If something is there.
 */
export async function checkAbsent(dir: string, own?: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (name === own) continue;
      throw new FileError(
        dir,
        `Cannot write ${dir}: found a folder that holds ${name}, wanted none or an empty one; choose another folder or ` +
          `remove it`,
      );
    }
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw fileError("write", dir, cause);
  }
}

/** Moves what is in a folder of `dir` to `dir` itself; after a failure all that was moved is gone. */
async function moveUp(inner: string, dir: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(inner), ({ name }) => name);
  // Without a config nothing takes the folder for a model: it comes last.
  const ordered = names.sort((a, b) => Number(a === CONFIG) - Number(b === CONFIG));
  const moved: string[] = [];
  try {
    for (const name of ordered) {
      await Deno.rename(join(inner, name), join(dir, name));
      moved.push(join(dir, name));
    }
    await Deno.remove(inner);
  } catch (cause) {
    for (const path of moved) await Deno.remove(path).catch(() => {});
    throw cause;
  }
}

/**
 * Fills a folder under a temporary name and renames it at the end, so that it is whole or absent.
 *
 * An empty folder that is there stays: it may be where a disk is mounted or where a shell stands, which nothing can
 * replace. The temporary one is made inside, and its files move up at the end.
 *
 * @param dir Folder to make; absent or empty.
 * @param fill Writes files into the folder that it is given.
 * @throws {FileError} If the folder cannot be written or the disk is full; nothing is left behind.
 */
export async function writeFolder(dir: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const isThere = await checkAbsent(dir);
  const temporary = temporaryName(isThere ? join(dir, "export") : dir.replace(/[\\/]+$/, ""));
  const onDisk = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (cause) {
      throw fileError("write", dir, cause);
    }
  };
  try {
    await onDisk(() => Deno.mkdir(temporary, { recursive: true }));
    await fill(temporary);
    if (isThere) await checkAbsent(dir, basename(temporary));
    await onDisk(() => isThere ? moveUp(temporary, dir) : Deno.rename(temporary, dir));
  } catch (cause) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    if (!(cause instanceof FileError)) throw cause;
    throw new FileError(dir, cause.message.replaceAll(temporary, dir), { cause });
  }
}
