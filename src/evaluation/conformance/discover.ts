/**
 * Where golden cases lie: found by what their files say, not by their names.
 *
 * An attribution golden is a folder with model and case; an editing golden is a folder with the case below its model; a
 * GGUF golden is a file beside a case that lists it.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { FileError, fileError } from "../../checkpoint/file_error.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { readModelConfig } from "../../model/architectures.ts";

/** A case that this version cannot compute. */
export interface SkippedCase {
  /** Name of the case. */
  readonly name: string;
  /** What it needs that there is not. */
  readonly skipped: string;
}

/** A golden case. */
export interface Golden {
  /** Folder of the case, or the GGUF file. */
  readonly dir: string;
  /** Path below the folder that was searched. */
  readonly name: string;
  /** Which checks apply. */
  readonly kind: "attribution" | "editing" | "gguf";
  /** Folder with the config and weights of its model, or the GGUF file. */
  readonly modelDir: string;
}

const caseSchema = z.looseObject({
  method: z.string().optional(),
  prompts: z.array(z.unknown()).optional(),
  files: z.unknown().optional(),
});

/**
 * Finds every golden below a folder, the folder itself included, in the order of their paths.
 *
 * @throws {FileError} If the folder cannot be read or a `case.json` is no JSON.
 */
export async function findGoldens(root: string): Promise<Golden[]> {
  const found: Golden[] = [];
  for (const dir of await foldersBelow(resolve(root))) {
    if (!await isFile(join(dir, "case.json"))) continue;
    const { method, prompts, files } = await readJsonFile(join(dir, "case.json"), caseSchema);
    found.push(...await ggufGoldens(root, dir, files));
    if (!await isFile(join(dir, "tensors.safetensors"))) continue;
    const kind = method !== undefined ? "editing" : prompts !== undefined ? "attribution" : null;
    const modelDir = kind === "editing" ? dirname(dir) : dir;
    if (kind === null || !await isFile(join(modelDir, "config.json"))) continue;
    found.push({ dir, name: relative(resolve(root), dir) || ".", kind, modelDir });
  }
  return found;
}

/** GGUF files of a folder: those that lie there and those that its case has as keys of `files`. */
async function ggufGoldens(root: string, dir: string, files: unknown): Promise<Golden[]> {
  const listed = typeof files === "object" && files !== null ? Object.keys(files) : [];
  const there = await Array.fromAsync(Deno.readDir(dir), ({ name }) => name);
  const names = new Set([...listed, ...there].filter((name) => name.endsWith(".gguf")));
  return [...names].sort().map((name) => {
    const path = join(dir, name);
    return { dir: path, name: relative(resolve(root), path), kind: "gguf", modelDir: path };
  });
}

/** Why the model of a golden cannot be loaded by this version, or null where it can. */
export async function unsupportedModel({ kind, modelDir }: Golden): Promise<string | null> {
  if (kind === "gguf") return null;
  const path = join(modelDir, "config.json");
  try {
    readModelConfig(await readJsonFile(path, z.looseObject({})), path);
    return null;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}

/**
 * Finds the `tokenizer.json` of a folder: in it, or in the nearest folder above.
 *
 * @throws {FileError} If there is none up to the root.
 */
export async function findTokenizer(dir: string): Promise<string> {
  for (let at = resolve(dir);; at = dirname(at)) {
    const path = join(at, "tokenizer.json");
    if (await isFile(path)) return path;
    if (at === dirname(at)) break;
  }
  throw new FileError(
    dir,
    `Cannot find a tokenizer for ${dir}: neither it nor a folder above holds tokenizer.json; put it beside the model`,
  );
}

async function foldersBelow(dir: string): Promise<string[]> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(dir));
  } catch (cause) {
    throw fileError("read", dir, cause);
  }
  const folders = [dir];
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory) folders.push(...await foldersBelow(join(dir, name)));
  }
  return folders;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
