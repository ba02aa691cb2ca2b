/**
 * A model folder in Hugging Face layout: `config.json` and weights in one safetensors file or in shards with an index.
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { conversionCommand } from "./conversion_command.ts";
import { FileError, fileError, quoteValue } from "./file_error.ts";
import { readJsonFile } from "./json_file.ts";
import { type TensorInfo } from "./safetensors_header.ts";
import { SafetensorsFile } from "./safetensors_reader.ts";
import { hashTensors, type WeightSource } from "./weight_source.ts";

/** Name of the weights of an undivided model. */
export const SINGLE_FILE = "model.safetensors";

/** Name of the file that says which shard holds which tensor. */
export const INDEX_FILE = "model.safetensors.index.json";

/** Bytes read at once while hashing. */
const HASH_CHUNK_BYTES = 1 << 22;

/** What an index must hold: the shard of every tensor. */
export const indexSchema = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^[^/\\]+\.safetensors$/, "wanted the name of a .safetensors file in the same folder"),
  ),
});

/** A stored tensor and the file that holds it. */
export interface CheckpointTensor extends TensorInfo {
  /** Name of the file in the folder. */
  readonly file: string;
}

/** The weights of a model folder, open for reading. */
export class Checkpoint implements WeightSource {
  /** The folder, as given. */
  readonly path: string;
  /** All tensors by name. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #files: ReadonlyMap<string, SafetensorsFile>;
  #hash: string | undefined;

  /**
   * Joins open files; {@linkcode openCheckpoint} is the way to get one.
   *
   * @param dir The folder.
   * @param files Open files by name; the checkpoint closes them.
   * @throws {FileError} If two files hold the same tensor.
   */
  constructor(dir: string, files: ReadonlyMap<string, SafetensorsFile>) {
    const tensors = new Map<string, CheckpointTensor>();
    for (const [file, { names, path }] of files) {
      for (const name of names) {
        const other = tensors.get(name);
        if (other !== undefined) {
          throw new FileError(
            path,
            `Cannot open ${dir}: tensor ${quoteValue(name)} is in ${other.file} and in ${file}, wanted in one file; ` +
              `fetch the folder again`,
          );
        }
        tensors.set(name, { ...files.get(file)!.info(name), file });
      }
    }
    this.path = dir;
    this.tensors = tensors;
    this.#files = files;
  }

  /**
   * Reads a whole tensor.
   *
   * @param name Name of the tensor.
   * @returns Its bytes as stored, little-endian, row-major.
   * @throws {FileError} If there is no such tensor or its file cannot be read.
   */
  read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#fileOf(name).read(name);
  }

  /**
   * Reads a tensor piece by piece.
   *
   * @param name Name of the tensor.
   * @param maxBytes Largest piece in bytes, at least 8; no element is torn.
   * @returns The pieces in order.
   * @throws {FileError} If there is no such tensor or its file cannot be read.
   */
  chunks(name: string, maxBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    return this.#fileOf(name).chunks(name, maxBytes);
  }

  /**
   * Fingerprint of the weights: equal for equal names, types, shapes and bytes, however they are spread over files.
   *
   * @param signal Stops before the next piece.
   * @returns SHA-256 in hexadecimal; computed once, streamed.
   */
  async hash(signal?: AbortSignal): Promise<string> {
    this.#hash ??= await hashTensors(this.tensors, (name) => this.chunks(name, HASH_CHUNK_BYTES), signal);
    return this.#hash;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }

  #fileOf(name: string): SafetensorsFile {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) {
      throw new FileError(
        this.path,
        `Cannot find tensor "${name}" in ${this.path}: the folder holds ${this.tensors.size} others; check the name`,
      );
    }
    return this.#files.get(tensor.file)!;
  }
}

async function listFiles(dir: string): Promise<Set<string>> {
  try {
    const names = await Array.fromAsync(Deno.readDir(dir), (entry) => entry.name);
    return new Set(names);
  } catch (cause) {
    throw fileError("read", dir, cause);
  }
}

/** The shards of a divided model, and for each the tensors that the index expects in it. */
async function readIndex(dir: string, present: ReadonlySet<string>): Promise<Map<string, string[]>> {
  const path = join(dir, INDEX_FILE);
  const { weight_map: weightMap } = await readJsonFile(path, indexSchema);
  const shards = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (!present.has(shard)) {
      throw new FileError(
        path,
        `Cannot open ${dir}: the index puts tensor ${quoteValue(name)} in ${shard}, which is not in the folder; ` +
          `fetch the missing file`,
      );
    }
    const names = shards.get(shard);
    if (names === undefined) shards.set(shard, [name]);
    else names.push(name);
  }
  if (shards.size === 0) {
    throw new FileError(path, `Cannot open ${dir}: the weight_map of ${INDEX_FILE} is empty; fetch the folder again`);
  }
  return shards;
}

/** Which files hold the weights, with the tensors that must be in each. */
async function chooseFiles(dir: string): Promise<Map<string, string[]>> {
  const present = await listFiles(dir);
  if (!present.has("config.json")) {
    throw new FileError(
      dir,
      `Cannot open ${dir}: it holds no config.json, wanted a model folder in Hugging Face layout; check the path`,
    );
  }
  if (present.has(SINGLE_FILE)) return new Map([[SINGLE_FILE, []]]);
  if (present.has(INDEX_FILE)) return await readIndex(dir, present);
  const other = [...present].filter((name) => /\.(bin|pt|pth|h5|msgpack|gguf|safetensors)$/.test(name)).sort();
  const found = other.length > 0 ? `, found ${other.join(", ")}` : "";
  const remedy = other.some((name) => name.startsWith("pytorch_model"))
    ? `convert them with Python: ${conversionCommand(dir, `${dir}-safetensors`)}`
    : "fetch the safetensors weights of the model";
  throw new FileError(
    dir,
    `Cannot open ${dir}: it holds no weights, wanted ${SINGLE_FILE} or ${INDEX_FILE}${found}; ${remedy}`,
  );
}

/**
 * Opens the weights of a model folder and checks every header, without reading a tensor.
 *
 * @param dir Folder with `config.json` and `model.safetensors`, or shards and `model.safetensors.index.json`.
 * @returns The open checkpoint; the caller disposes it.
 * @throws {FileError} If a file is missing or damaged, or the index and the shards disagree.
 */
export async function openCheckpoint(dir: string): Promise<Checkpoint> {
  const wanted = await chooseFiles(dir);
  using opened = new DisposableStack();
  const files = new Map<string, SafetensorsFile>();
  for (const [name, tensors] of wanted) {
    const file = opened.use(await SafetensorsFile.open(join(dir, name)));
    const held = new Set(file.names);
    const missing = tensors.find((tensor) => !held.has(tensor));
    if (missing !== undefined) {
      throw new FileError(
        file.path,
        `Cannot open ${dir}: the index puts tensor ${quoteValue(missing)} in ${name}, which does not hold it; ` +
          `fetch the folder again`,
      );
    }
    files.set(name, file);
  }
  const checkpoint = new Checkpoint(dir, files);
  opened.move();
  return checkpoint;
}
