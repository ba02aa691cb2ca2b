/**
 * Opens a model wherever its weights are: a folder in Hugging Face layout, a GGUF file, or a folder with one.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { z } from "zod";
import { openCheckpoint } from "./checkpoint_folder.ts";
import { FileError, fileError } from "./file_error.ts";
import { GgufWeights } from "./gguf_weights.ts";
import { readJsonFile } from "./json_file.ts";
import { refuseQuantisedFolder } from "./quantised_folder.ts";
import type { PackedFormat, WeightSource } from "./weight_source.ts";

/** The config of a model, not yet checked. */
export interface ConfigFile {
  /** Parsed config.json, or what stands for it. */
  readonly config: unknown;
  /** Where the config is from, for messages. */
  readonly configPath: string;
}

/** An open model: weights, config, and what its tokenizer is made from. */
export interface ModelFiles extends ConfigFile, Disposable {
  /** The weights. */
  readonly weights: WeightSource;
  /** Metadata of a GGUF file; null for a folder, which has a `tokenizer.json`. */
  readonly metadata: Record<string, unknown> | null;
}

async function openGguf(path: string, packed?: readonly PackedFormat[]): Promise<ModelFiles> {
  const weights = await GgufWeights.open(path, packed);
  const { config, metadata } = weights;
  return { weights, config, configPath: path, metadata, [Symbol.dispose]: () => weights[Symbol.dispose]() };
}

async function readConfigFile(dir: string): Promise<ConfigFile> {
  const configPath = join(dir, "config.json");
  return { config: await readJsonFile(configPath, z.unknown()), configPath };
}

async function openFolder(dir: string): Promise<ModelFiles> {
  using opened = new DisposableStack();
  // First of all: the weights of such folders often have other names, and would only be missed.
  await refuseQuantisedFolder(dir);
  const weights = opened.use(await openCheckpoint(dir));
  const config = await readConfigFile(dir);
  opened.move();
  return { weights, ...config, metadata: null, [Symbol.dispose]: () => weights[Symbol.dispose]() };
}

/** Ends of files that are a part of a folder in Hugging Face layout. */
const PART_OF_FOLDER = /\.(safetensors|json)$/;

/** The GGUF file that a path stands for, or null where it is a folder with other weights. */
async function ggufBehind(path: string): Promise<string | null> {
  let names: string[];
  try {
    if (!(await Deno.stat(path)).isDirectory) {
      if (!PART_OF_FOLDER.test(path)) return path;
      throw new FileError(
        path,
        `Cannot open ${path}: it is one file of a model folder, wanted the folder or a GGUF file; give ${
          dirname(path)
        }`,
      );
    }
    names = await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  const files = names.filter((name) => name.endsWith(".gguf")).sort();
  if (files.length === 0 || names.some((name) => /\.safetensors(\.index\.json)?$/.test(name))) return null;
  if (files.length === 1) return join(path, files[0]!);
  throw new FileError(
    path,
    `Cannot open ${path}: it holds ${files.length} GGUF files (${files.slice(0, 3).join(", ")}${
      files.length > 3 ? ", ..." : ""
    }), wanted one; give the path of the file`,
  );
}

/**
 * Opens a model and checks its headers, without reading a weight.
 *
 * @param path Folder in Hugging Face layout, `.gguf` file, or folder with exactly one `.gguf` and no safetensors.
 * @param packed Quantised formats that are handed on as they are. Default: all of `PACKED_FORMATS`.
 * @returns The open model; the caller disposes it.
 * @throws {FileError} If a file is missing, damaged or holds what is not known.
 */
export async function openModelFiles(path: string, packed?: readonly PackedFormat[]): Promise<ModelFiles> {
  const file = await ggufBehind(path);
  return file === null ? await openFolder(path) : await openGguf(file, packed);
}

/**
 * Reads the config of a model, whose weights a folder need not have.
 *
 * @param path As for {@linkcode openModelFiles}.
 * @throws {FileError} As {@linkcode openModelFiles}.
 */
export async function readConfig(path: string): Promise<ConfigFile> {
  const file = await ggufBehind(path);
  if (file === null) {
    await refuseQuantisedFolder(path);
    return await readConfigFile(path);
  }
  using files = await openGguf(file);
  return { config: files.config, configPath: files.configPath };
}
