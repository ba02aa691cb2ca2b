/**
 * Where golden cases lie: found by what their files say, not by their names.
 *
 * An attribution golden is a folder with model and case; an editing golden is a folder with the case below its model; a
 * GGUF golden is a file beside a case that lists it.
 *
 * @module
 */
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { FileError, fileError } from "../../checkpoint/file_error.ts";
import { isFile, isFolder } from "../../checkpoint/file_kind.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { readModelConfig } from "../../model/architectures.ts";

/** A case that this version cannot compute. */
export interface SkippedCase {
  /** Name of the case. */
  readonly name: string;
  /** What it needs that there is not. */
  readonly skipped: string;
}

/** A case that cannot be checked as it lies there. */
export interface FailedCase {
  /** Name of the case. */
  readonly name: string;
  /** What is wrong with it. */
  readonly failed: string;
}

/** A golden case with its files. */
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
 * Finds every case below a folder, the folder itself included, in the order of their paths. Links to folders are
 * followed; a case is found once for each model that it lies below.
 *
 * @returns Goldens; a `case.json` that cannot be read, or that misses a file, as failed, and one of another kind as
 * skipped, so that no case is lost.
 * @throws {FileError} If a folder cannot be read.
 */
export async function findGoldens(root: string): Promise<(Golden | SkippedCase | FailedCase)[]> {
  const found: (Golden | SkippedCase | FailedCase)[] = [];
  const seen = new Set<string>();
  for (const dir of await foldersBelow(resolve(root))) {
    if (!await isFile(join(dir, "case.json"))) continue;
    for (const one of await casesIn(root, dir)) {
      if (!isGolden(one) || isNew(seen, await placeOf(one))) found.push(one);
    }
  }
  const key = ({ name }: { name: string }): string => name.replaceAll(sep, "\0");
  return found.sort((a, b) => key(a) < key(b) ? -1 : 1);
}

/** Where a golden and its model lie, links followed. */
async function placeOf({ dir, modelDir, kind }: Golden): Promise<string> {
  // A GGUF file may be missing; its folder is there.
  if (kind === "gguf") return join(await Deno.realPath(dirname(dir)), basename(dir));
  return `${await Deno.realPath(dir)}\0${await Deno.realPath(modelDir)}`;
}

function isNew(seen: Set<string>, place: string): boolean {
  if (seen.has(place)) return false;
  seen.add(place);
  return true;
}

/** Tells a golden from a case that is skipped or failed. */
export function isGolden(found: Golden | SkippedCase | FailedCase): found is Golden {
  return "kind" in found;
}

/** The cases of one folder with a `case.json`. */
async function casesIn(root: string, dir: string): Promise<(Golden | SkippedCase | FailedCase)[]> {
  const name = relative(resolve(root), dir) || basename(dir);
  let file: z.infer<typeof caseSchema>;
  try {
    file = await readJsonFile(join(dir, "case.json"), caseSchema);
  } catch (error) {
    if (error instanceof FileError) return [{ name, failed: error.message }];
    throw error;
  }
  const { method, prompts, files } = file;
  const kind = method !== undefined ? "editing" : prompts !== undefined ? "attribution" : null;
  const ggufs = await ggufGoldens(root, dir, files);
  if (kind === null) {
    const skipped = "its case.json has neither method nor prompts, and no GGUF file lies beside it";
    return ggufs.length > 0 ? ggufs : [{ name, skipped }];
  }
  const home = kind === "editing" ? await besideModel(dir) : dir;
  const modelDir = kind === "editing" ? dirname(home) : home;
  for (const path of [join(home, "tensors.safetensors"), join(modelDir, "config.json")]) {
    if (!await isFile(path)) return [...ggufs, { name, failed: missingFile(path, kind) }];
  }
  return [...ggufs, { dir: home, name, kind, modelDir }];
}

/** The folder of an editing case as it was reached, or the one that it links to if only that lies below a model. */
async function besideModel(dir: string): Promise<string> {
  if (await isFile(join(dirname(dir), "config.json"))) return dir;
  const real = await Deno.realPath(dir);
  return await isFile(join(dirname(real), "config.json")) ? real : dir;
}

function missingFile(path: string, kind: "editing" | "attribution"): string {
  const place = kind === "editing" ? "the model in the folder above" : "the model beside them";
  return `Cannot check the case: found no ${path}, wanted case.json and tensors.safetensors with ${place}. ` +
    "Fetch or make the missing file";
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

/**
 * A folder and those below it: first all that can be reached without a link. Each is entered once from each that holds
 * it or a link to it, so that a circle of links ends.
 */
async function foldersBelow(root: string): Promise<string[]> {
  const folders: string[] = [];
  const seen = new Set<string>();
  const own = [{ dir: root, above: "" }];
  const linked: typeof own = [];
  for (let next = own.shift(); next !== undefined; next = own.shift() ?? linked.shift()) {
    const { dir, above } = next;
    try {
      const real = await Deno.realPath(dir);
      if (!isNew(seen, `${above}\0${real}`)) continue;
      folders.push(dir);
      for await (const { name, isDirectory, isSymlink } of Deno.readDir(dir)) {
        const path = join(dir, name);
        if (isDirectory) own.push({ dir: path, above: real });
        else if (isSymlink && await isFolder(path)) linked.push({ dir: path, above: real });
      }
    } catch (cause) {
      throw fileError("read", dir, cause);
    }
  }
  return folders;
}
