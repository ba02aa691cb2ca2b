import type { Gpu } from "../gpu/gpu.ts";
import { BufferPool } from "../gpu/pool.ts";
import { checkRows, type Dtype, dtypeBytes, formatShape, type Tensor } from "../gpu/tensor.ts";
import { countNonFiniteScales, DEVICE_BLOCKS, deviceChunks, isPackedFormat } from "../checkpoint/device_blocks.ts";
import { quoteValue } from "../checkpoint/file_error.ts";
import { countNonFinite, type FloatDtype } from "../checkpoint/half.ts";
import { release, type WeightSource } from "../checkpoint/weight_source.ts";
import { architectureOf, type ModelConfig, type WeightLayout } from "./architectures.ts";
import { checkMemory } from "./memory.ts";
import { type NamedWeight, namedWeights } from "./named_weights.ts";
import { takePart } from "./stored_part.ts";

const DTYPES: Readonly<Record<string, Dtype>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  Q4_0: "q4_0",
  Q4_1: "q4_1",
  Q8_0: "q8_0",
  Q4_K: "q4_k",
  Q6_K: "q6_k",
};

/** Whether weights of a stored type are loaded as they are. */
export function isLoadable(dtype: string): boolean {
  return Object.hasOwn(DTYPES, dtype);
}

/** Buffers that old checkpoints carry along and that can be computed: causal masks and rotary frequencies. */
const IGNORED = /\.((attn|attention)\.(bias|masked_bias)|rotary_emb\.inv_freq)$/;

/** Bytes uploaded at a time. */
const CHUNK = 4 * 1024 * 1024;

/** What {@linkcode checkWeights} found. */
export interface CheckedWeights {
  /** Every weight, in the order of the forward pass. */
  list: NamedWeight[];
  /** Bytes that they take on the GPU. */
  byteLength: number;
}

/**
 * Checks that a checkpoint holds exactly the weights of a config, and that the model fits the GPU with what a prompt of
 * usual length needs, before any is loaded.
 *
 * @throws {TypeError} If a tensor is missing, extra, or of another shape or dtype; RangeError if the model is too large.
 */
export function checkWeights(checkpoint: WeightSource, config: ModelConfig, gpu: Gpu): CheckedWeights {
  if (config.nLayers > checkpoint.tensors.size) {
    throw new TypeError(
      `Cannot load ${checkpoint.path}: found ${checkpoint.tensors.size} tensors, wanted ${config.nLayers} layers by ` +
        `config.json. Config and weights are not of the same model`,
    );
  }
  const list = namedWeights(config, checkpoint.tensors);
  const names = new Set(list.map((w) => w.stored));
  let total = 0;
  let reserved = 0;
  for (const { stored, shape: loaded, storedShape: shape } of list) {
    const found = checkpoint.tensors.get(stored);
    const where = `Cannot load ${checkpoint.path}: tensor "${stored}"`;
    if (!found) throw new TypeError(`${where} is missing, wanted ${formatShape(shape)}. Fetch the model again`);
    if (formatShape(found.shape) !== formatShape(shape)) {
      throw new TypeError(
        `${where} has shape ${formatShape(found.shape)}, wanted ${formatShape(shape)} by config.json. ` +
          `Config and weights are not of the same model`,
      );
    }
    const dtype = DTYPES[found.dtype];
    if (!dtype) throw new TypeError(`${where} is ${found.dtype}, wanted F32, F16 or BF16. Convert the model first`);
    checkRows(stored, loaded, dtype);
    const bytes = dtypeBytes(dtype, loaded.reduce((a, b) => a * b, 1));
    const limit = gpu.limits.maxBufferSize;
    if (bytes > limit) {
      throw new RangeError(
        `${where} takes ${bytes} bytes and one buffer of ${gpu.adapterName} holds ${limit}. Use a smaller model`,
      );
    }
    total += bytes;
    reserved += BufferPool.roundedSize(bytes, limit);
  }
  const head = architectureOf(config).outer["unembed.W_U"]!.name;
  for (const name of checkpoint.tensors.keys()) {
    const tiedHead = config.tied && name === head;
    if (!names.has(name) && !IGNORED.test(name) && !tiedHead) {
      throw new TypeError(
        `Cannot load ${checkpoint.path}: tensor ${quoteValue(name)} is not part of a ${config.family} model with ` +
          `${config.nLayers} layers. Config and weights are not of the same model`,
      );
    }
  }
  checkMemory(checkpoint.path, config, reserved, gpu);
  return { list, byteLength: total };
}

/** Bytes of a stored element; of a packed one on average, as parts of fused tensors are whole rows and so whole blocks. */
function storedUnit(dtype: string): number {
  if (!isPackedFormat(dtype)) return dtypeBytes(DTYPES[dtype]!, 1);
  const { fileBytes, values } = DEVICE_BLOCKS[dtype];
  return fileBytes / values;
}

/**
 * The bytes of a tensor in parts.
 *
 * @throws {TypeError} If a value, or the scale of a block, is not finite.
 */
async function* finiteChunks(checkpoint: WeightSource, stored: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { dtype } = checkpoint.tensors.get(stored)!;
  for await (const bytes of checkpoint.chunks(stored, CHUNK)) {
    const packed = isPackedFormat(dtype);
    const bad = packed ? countNonFiniteScales(dtype, bytes) : countNonFinite(dtype as FloatDtype, bytes);
    if (bad > 0) {
      throw new TypeError(
        `Cannot load ${checkpoint.path}: tensor "${stored}" holds ${bad} ${
          packed ? "scales" : "values"
        } that are NaN ` +
          `or infinite, wanted none. The file is damaged or was saved from a failed run`,
      );
    }
    yield bytes;
  }
}

/** The weights of a model on the GPU, in their stored type, by TransformerLens name. */
export class Weights implements Disposable {
  readonly #tensors: Map<string, Tensor>;
  readonly #layouts: ReadonlyMap<string, WeightLayout>;

  private constructor(tensors: Map<string, Tensor>, layouts: ReadonlyMap<string, WeightLayout>) {
    this.#tensors = tensors;
    this.#layouts = layouts;
  }

  /**
   * Streams every weight to the GPU.
   *
   * @param checked What {@linkcode checkWeights} found in the checkpoint.
   * @param options `onProgress` is called after each tensor with the bytes so far; `signal` stops before the next piece.
   * @throws {TypeError} If a weight is not finite.
   */
  static async load(
    gpu: Gpu,
    checkpoint: WeightSource,
    { list, byteLength }: CheckedWeights,
    { onProgress, signal }: {
      onProgress?: (bytes: number, total: number) => void;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Weights> {
    const tensors = new Map<string, Tensor>();
    const weights = new Weights(tensors, new Map(list.map((w) => [w.name, w.layout])));
    let done = 0;
    try {
      for (const { name, stored, shape, slice } of list) {
        const info = checkpoint.tensors.get(stored)!;
        const tensor = gpu.tensor(shape, name, DTYPES[info.dtype]!);
        tensors.set(name, tensor);
        let at = 0;
        const chunks = finiteChunks(checkpoint, stored);
        const unit = storedUnit(info.dtype);
        const pieces = slice ? takePart(chunks, slice, unit, tensor.length * unit) : chunks;
        for await (const bytes of isPackedFormat(info.dtype) ? deviceChunks(info.dtype, pieces) : pieces) {
          signal?.throwIfAborted();
          gpu.write(tensor, bytes, at);
          at += bytes.length;
          release(bytes);
        }
        done += tensor.byteLength;
        onProgress?.(done, byteLength);
      }
    } catch (error) {
      weights[Symbol.dispose]();
      throw error;
    }
    return weights;
  }

  /** The weight called `name`; `unembed.W_U` of a tied model is the embedding. @throws {TypeError} If there is none. */
  get(name: string): Tensor {
    const found = this.find(name);
    if (!found) {
      throw new TypeError(`Cannot find weight "${name}": this model has ${[...this.#tensors.keys()].length} others`);
    }
    return found;
  }

  /** The weight called `name`, if the model has it. */
  find(name: string): Tensor | undefined {
    return this.#tensors.get(name) ?? (name === "unembed.W_U" ? this.#tensors.get("embed.W_E") : undefined);
  }

  /** How the matrix `name` lies. */
  layout(name: string): WeightLayout {
    return this.#layouts.get(name) ?? this.#layouts.get("embed.W_E")!;
  }

  /**
   * Puts another tensor in the place of a weight, which must have the same shape.
   *
   * @returns The tensor that was there; now the caller's.
   */
  swap(name: string, tensor: Tensor): Tensor {
    const old = this.get(name);
    if (formatShape(old.shape) !== formatShape(tensor.shape)) {
      throw new RangeError(
        `Cannot put ${formatShape(tensor.shape)} in the place of "${name}" ${
          formatShape(old.shape)
        }: shapes must match`,
      );
    }
    this.#tensors.set(name, tensor);
    return old;
  }

  /** Bytes on the GPU. */
  get byteLength(): number {
    return [...this.#tensors.values()].reduce((sum, t) => sum + t.byteLength, 0);
  }

  /** Disposes every weight. */
  [Symbol.dispose](): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }
}
