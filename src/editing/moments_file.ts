import { createHash } from "node:crypto";
import { join } from "node:path";
import { isFile } from "../checkpoint/file_kind.ts";
import { countNonFinite, decodeFloats } from "../checkpoint/half.ts";
import { FileError, quoteValue } from "../checkpoint/file_error.ts";
import { SafetensorsFile } from "../checkpoint/safetensors_reader.ts";
import { writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { Model } from "../model/model.ts";

/** Documents between two writes of a file. */
export const MOMENT_GROUP = 100;

/** Sum of k kᵀ of one layer over the first documents of a corpus. */
export interface StoredSum {
  /** Documents counted. */
  documents: number;
  /** [dMlp, dMlp] f64. */
  sum: Float64Array;
}

/** Documents as second moments are taken over them: tokens, cut at the context length; empty ones are left out. */
export function momentDocuments(model: Model, texts: readonly string[]): number[][] {
  return texts.map((text) => model.tokenizer.encode(text).slice(0, model.config.maxPos)).filter(({ length }) =>
    length > 0
  );
}

/** Hash of everything that second moments depend on: weights and tokens, which another tokenizer may make otherwise. */
export function momentsKey(model: Model, documents: readonly (readonly number[])[]): string {
  return createHash("sha256").update(JSON.stringify([model.hash, documents])).digest("hex");
}

/** Stored second moments of one model over one corpus: a file a layer, named by the key. */
export class MomentsFile {
  readonly #dir: string;
  readonly #key: string;
  readonly #width: number;
  readonly #documents: number;

  /** Files below `dir` of a model over documents as {@linkcode momentDocuments} gives them; nothing is read or made. */
  constructor(dir: string, model: Model, documents: readonly (readonly number[])[]) {
    this.#dir = dir;
    this.#key = momentsKey(model, documents);
    this.#width = model.config.dMlp;
    this.#documents = documents.length;
  }

  /** Path of a layer's file. */
  path(layer: number): string {
    return join(this.#dir, `${this.#key.slice(0, 16)}.layer${layer}.safetensors`);
  }

  /**
   * What is stored for these layers.
   *
   * @throws {FileError} If a file belongs to another model or corpus, or is damaged.
   */
  async read(layers: readonly number[]): Promise<Map<number, StoredSum>> {
    const found = new Map<number, StoredSum>();
    for (const layer of layers) {
      const path = this.path(layer);
      if (!await isFile(path)) continue;
      using file = await openSums(path);
      const key = file.metadata.get("key");
      const info = file.names.includes("sum") ? file.info("sum") : undefined;
      if (key !== this.#key || info?.dtype !== "F64" || info.shape.join() !== `${this.#width},${this.#width}`) {
        throw new FileError(
          path,
          `Cannot use second moments ${path}: found key ${key?.slice(0, 16)} and shape [${info?.shape}], wanted key ` +
            `${this.#key.slice(0, 16)} and [${this.#width}, ${this.#width}]. They belong to another model or corpus: ` +
            `delete the file or choose another folder`,
        );
      }
      const documents = file.metadata.get("documents") ?? "none";
      const bytes = await file.read("sum");
      const bad = countNonFinite("F64", bytes);
      if (!/^\d+$/.test(documents) || Number(documents) > this.#documents || bad > 0) {
        throw new FileError(
          path,
          `Cannot use second moments ${path}: found ${quoteValue(documents)} as the number of documents and ${bad} ` +
            `values that are NaN or infinite, wanted at most ${this.#documents} and no such value; ` +
            `the file is damaged; delete it, and they are counted again`,
        );
      }
      found.set(layer, { documents: Number(documents), sum: decodeFloats("F64", bytes) as Float64Array });
    }
    return found;
  }

  /** Stores the sum of a layer, replacing what was there in one step. */
  async write(layer: number, stored: StoredSum): Promise<void> {
    await writeSafetensors(
      this.path(layer),
      [{ name: "sum", dtype: "F64", shape: [this.#width, this.#width], data: stored.sum }],
      { key: this.#key, documents: String(stored.documents) },
    );
  }
}

/** Opens a file of sums; what is damaged can be computed again, which no reader of files in general knows. */
async function openSums(path: string): Promise<SafetensorsFile> {
  try {
    return await SafetensorsFile.open(path);
  } catch (cause) {
    // A fault of the system has its own remedy.
    if (!(cause instanceof FileError) || cause.cause !== undefined) throw cause;
    const message = `Cannot use second moments ${path}: the file is damaged; delete it, and they are counted again`;
    throw new FileError(path, message, { cause });
  }
}
