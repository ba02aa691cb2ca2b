/**
 * The weights of a GGUF file as if they were those of a Hugging Face folder: names, order of rows and config.
 *
 * @module
 */

import { BLOCK_FORMATS, widenBlocks } from "./blocks/block_formats.ts";
import { FileError, quoteValue } from "./file_error.ts";
import { ggufArchitecture, type GgufConfig, ggufConfig } from "./gguf_config.ts";
import { deliver, deliveredBytes, type Delivery } from "./gguf_delivery.ts";
import { GgufFile } from "./gguf_file.ts";
import type { GgufTensor } from "./gguf_layout.ts";
import { plainMetadata } from "./gguf_metadata.ts";
import { type GgufArchitecture, huggingFaceName } from "./gguf_names.ts";
import { pairsToHalves, type RowRun, storedPieces } from "./gguf_rows.ts";
import { hashTensors, PACKED_FORMATS, type PackedFormat, type WeightInfo, type WeightSource } from "./weight_source.ts";

/** Tensors that say how to turn, not what to multiply with; the config takes them up. */
const ROPE_TENSORS = new Set(["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]);

/** Largest number of values that the factors of a head can have. */
const MAX_ROPE_FACTORS = 4096;

/** Bytes read at once while hashing. */
const HASH_CHUNK_BYTES = 1 << 22;

/** Where a weight comes from. */
interface Origin {
  /** Name in the file. */
  readonly name: string;
  /** Its entry. */
  readonly tensor: GgufTensor;
  /** Order of its rows, or null for that of the file. */
  readonly rows: readonly RowRun[] | null;
  /** How its blocks are handed on. */
  readonly delivery: Delivery;
}

/** Rows of queries and keys in Hugging Face order; null for all other tensors. */
function rowOrder(
  path: string,
  name: string,
  { shape }: GgufTensor,
  { pairs }: GgufArchitecture,
  { nHeads, nKvHeads, dHead }: GgufConfig,
): RowRun[] | null {
  const kind = /\.attn_([qk])\./.exec(name)?.[1];
  if (!pairs || kind === undefined) return null;
  const heads = kind === "q" ? nHeads : nKvHeads;
  if (shape[0] === heads * dHead && dHead % 2 === 0) return pairsToHalves(heads, dHead);
  throw new FileError(
    path,
    `Cannot use ${path}: tensor ${quoteValue(name)} has ${shape[0] ?? 1} rows, wanted ${heads} heads of ${dHead}, ` +
      `an even number; fetch or convert the file again`,
  );
}

/** The weights of a GGUF file, open for reading. */
export class GgufWeights implements WeightSource {
  /** The file, as given. */
  readonly path: string;
  /** Like a parsed config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** All tensors by Hugging Face name. */
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  readonly #file: GgufFile;
  readonly #origins: ReadonlyMap<string, Origin>;
  #hash: string | undefined;

  private constructor(file: GgufFile, config: GgufConfig, packed: ReadonlySet<PackedFormat>) {
    const [, architecture] = ggufArchitecture(file.path, file.metadata);
    const origins = new Map<string, Origin>();
    for (const [name, tensor] of file.tensors) {
      if (ROPE_TENSORS.has(name)) continue;
      const known = huggingFaceName(architecture, name);
      if (known === undefined) {
        throw new FileError(
          file.path,
          `Cannot use ${file.path}: tensor ${quoteValue(name)} is not part of a ${architecture.modelType} model; ` +
            `choose another model`,
        );
      }
      const rows = rowOrder(file.path, name, tensor, architecture, config);
      origins.set(known, { name, tensor, rows, delivery: deliver(tensor.format, packed) });
    }
    this.path = file.path;
    this.config = config.json;
    this.tensors = new Map(origins.entries().map(([name, { tensor, delivery }]) => [name, describe(tensor, delivery)]));
    this.#file = file;
    this.#origins = origins;
  }

  /**
   * Opens a file and checks its header and metadata, without reading a weight.
   *
   * @param path The file.
   * @param packed Quantised formats that are handed on as they are; others are rewritten or widened.
   * @returns The open weights; the caller disposes them.
   * @throws {FileError} If the file cannot be read, breaks the format, or holds a model that is not known.
   */
  static async open(path: string, packed: readonly PackedFormat[] = PACKED_FORMATS): Promise<GgufWeights> {
    return await GgufWeights.from(await GgufFile.open(path), packed);
  }

  /**
   * Presents an open file.
   *
   * @param file The file; disposed with the weights, or at once if it is refused.
   * @param packed As for {@linkcode GgufWeights.open}.
   * @throws {FileError} As {@linkcode GgufWeights.open}.
   */
  static async from(file: GgufFile, packed: readonly PackedFormat[] = PACKED_FORMATS): Promise<GgufWeights> {
    using opened = new DisposableStack();
    opened.use(file);
    const config = ggufConfig(file.path, file.metadata, file.tensors, await readRopeFactors(file));
    const weights = new GgufWeights(file, config, new Set(packed));
    opened.move();
    return weights;
  }

  /** The metadata as plain data; a tokenizer is made from it. */
  get metadata(): Record<string, unknown> {
    return plainMetadata(this.#file.metadata);
  }

  /**
   * Reads a whole tensor.
   *
   * @throws {FileError} If there is no such tensor or the file cannot be read.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(this.tensors.get(name)?.byteLength ?? 0);
    let at = 0;
    for await (const piece of this.chunks(name, Math.max(bytes.length, 8))) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /**
   * Reads a tensor piece by piece.
   *
   * @param name Hugging Face name.
   * @param maxBytes Largest piece in bytes as handed on.
   * @returns The pieces in order, each of whole blocks.
   * @throws {FileError} If there is no such tensor or the file cannot be read; {RangeError} if a block is larger.
   */
  async *chunks(name: string, maxBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { delivery, ...origin } = this.#origin(name);
    const { values } = BLOCK_FORMATS[origin.tensor.format];
    // Pieces of single values end at a multiple of 8 bytes, like those of safetensors files.
    const least = values === 1 ? 8 : deliveredBytes(delivery, values);
    if (!(maxBytes >= least)) {
      throw new RangeError(`Cannot read "${name}" in pieces of ${maxBytes} bytes: wanted at least ${least}`);
    }
    const most = Math.floor(maxBytes / least) * least / deliveredBytes(delivery, values);
    for await (const piece of storedPieces(this.#file, origin.name, origin.rows, most)) {
      yield delivery.convert?.(piece) ?? piece;
    }
  }

  /** Fingerprint of names, formats, shapes and bytes as stored, whatever they are handed on as. */
  async hash(signal?: AbortSignal): Promise<string> {
    this.#hash ??= await hashTensors(
      new Map(this.#origins.entries().map(([name, { tensor }]) => [name, { ...tensor, dtype: tensor.format }])),
      (name) => {
        const { name: stored, rows, tensor } = this.#origin(name);
        return storedPieces(
          this.#file,
          stored,
          rows,
          Math.floor(HASH_CHUNK_BYTES / BLOCK_FORMATS[tensor.format].bytes),
        );
      },
      signal,
    );
    return this.#hash;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #origin(name: string): Origin {
    const origin = this.#origins.get(name);
    if (origin === undefined) {
      throw new FileError(
        this.path,
        `Cannot find tensor "${name}" in ${this.path}: the file holds ${this.tensors.size} others; check the name`,
      );
    }
    return origin;
  }
}

function describe({ format, shape }: GgufTensor, delivery: Delivery): WeightInfo {
  const byteLength = deliveredBytes(delivery, shape.reduce((a, b) => a * b, 1));
  const info = { dtype: delivery.dtype, shape, byteLength };
  return delivery.dtype === format ? info : { ...info, storedAs: format };
}

/** Values of `rope_freqs.weight`, or null. */
async function readRopeFactors(file: GgufFile): Promise<Float32Array | null> {
  const tensor = file.tensors.get("rope_freqs.weight");
  if (tensor === undefined) return null;
  const values = tensor.shape.reduce((a, b) => a * b, 1);
  if (values <= MAX_ROPE_FACTORS) return widenBlocks(tensor.format, await file.read("rope_freqs.weight"));
  throw new FileError(
    file.path,
    `Cannot use ${file.path}: tensor "rope_freqs.weight" holds ${values} factors, wanted one for each two features of ` +
      `a head; fetch or convert the file again`,
  );
}
