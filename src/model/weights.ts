import type { Gpu } from "../gpu/gpu.ts";
import { BufferPool } from "../gpu/pool.ts";
import { checkRows, type Dtype, dtypeBytes, formatShape, type Tensor } from "../gpu/tensor.ts";
import { countNonFiniteScales, DEVICE_BLOCKS, deviceChunks, isPackedFormat } from "../checkpoint/device_blocks.ts";
import { countNonFinite, type FloatDtype } from "../checkpoint/half.ts";
import type { WeightSource } from "../checkpoint/weight_source.ts";
import { architectureOf, type ModelConfig, type WeightLayout, type WeightSpec } from "./architectures.ts";
import { type StoredSlice, takePart } from "./stored_part.ts";

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
const CHUNK = 32 * 1024 * 1024;

/** A weight of a model by its TransformerLens name, resolved against a config. */
export interface NamedWeight {
  /** `blocks.3.mlp.W_out`. */
  name: string;
  /** Name in the checkpoint. */
  stored: string;
  /** Shape of the weight. */
  shape: number[];
  /** Layout of the matrix. */
  layout: WeightLayout;
  /** Shape of the stored tensor; another than the weight's where that holds several. */
  storedShape: number[];
  /** Which elements of the stored tensor are the weight's; null for all. */
  slice: StoredSlice | null;
}

/**
 * Every weight that a model of this config has, in the order of the forward pass.
 *
 * @param stored Tensors of a checkpoint by name: files of the bare model, without head, leave a prefix out. Absent: names
 * are those of the whole model.
 */
export function namedWeights(config: ModelConfig, stored?: ReadonlyMap<string, unknown>): NamedWeight[] {
  const { outer, block, barePrefix: prefix } = architectureOf(config);
  const embedding = outer["embed.W_E"]!.name;
  const bare = prefix !== undefined && stored !== undefined && !stored.has(embedding) &&
    stored.has(embedding.slice(prefix.length));
  const resolve = (name: string, spec: WeightSpec, layer?: number): NamedWeight => {
    const shape = spec.shape(config);
    const part = spec.part?.(config);
    const whole = spec.name.replace("{}", String(layer));
    return {
      name: layer === undefined ? name : `blocks.${layer}.${name}`,
      stored: bare && whole.startsWith(prefix) ? whole.slice(prefix.length) : whole,
      shape,
      layout: spec.layout,
      storedShape: part?.shape ?? shape,
      slice: part ?? null,
    };
  };
  const list = [resolve("embed.W_E", outer["embed.W_E"]!)];
  for (let layer = 0; layer < config.nLayers; layer++) {
    for (const [name, spec] of Object.entries(block)) {
      if (spec.when?.(config) !== false) list.push(resolve(name, spec, layer));
    }
  }
  for (const [name, spec] of Object.entries(outer)) {
    if (name === "embed.W_E" || (name === "unembed.W_U" && config.tied)) continue;
    list.push(resolve(name, spec));
  }
  return list;
}

/**
 * Checks that a checkpoint holds exactly the weights of a config, and what they take on the GPU, before any is loaded.
 *
 * @returns Bytes on the GPU.
 * @throws {TypeError} If a tensor is missing, extra, or of another shape or dtype; RangeError if the model is too large.
 */
export function checkWeights(checkpoint: WeightSource, config: ModelConfig, gpu: Gpu): number {
  if (config.nLayers > checkpoint.tensors.size) {
    throw new TypeError(
      `Cannot load ${checkpoint.path}: found ${checkpoint.tensors.size} tensors, wanted ${config.nLayers} layers by ` +
        `config.json. Config and weights are not of the same model`,
    );
  }
  const wanted = namedWeights(config, checkpoint.tensors);
  const names = new Set(wanted.map((w) => w.stored));
  let total = 0;
  let reserved = 0;
  for (const { stored, shape: loaded, storedShape: shape } of wanted) {
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
        `Cannot load ${checkpoint.path}: tensor "${name}" is not part of a ${config.family} model with ` +
          `${config.nLayers} layers. Config and weights are not of the same model`,
      );
    }
  }
  if (reserved > gpu.availableBytes) {
    throw new RangeError(
      `Cannot load ${checkpoint.path}: its weights take ${reserved} bytes on the GPU and ${gpu.availableBytes} are ` +
        `available on ${gpu.adapterName}. Use a smaller model or close others`,
    );
  }
  return total;
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
   * @param onProgress Called after each tensor with the bytes so far.
   * @throws {TypeError} If a weight is not finite; as {@linkcode checkWeights}.
   */
  static async load(
    gpu: Gpu,
    checkpoint: WeightSource,
    config: ModelConfig,
    onProgress: (bytes: number, total: number) => void = () => {},
  ): Promise<Weights> {
    const total = checkWeights(checkpoint, config, gpu);
    const list = namedWeights(config, checkpoint.tensors);
    const tensors = new Map<string, Tensor>();
    const weights = new Weights(tensors, new Map(list.map((w) => [w.name, w.layout])));
    let done = 0;
    // Writes overtake recorded dispatches, which may still need the buffers that new weights get.
    gpu.stream.submit();
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
          gpu.write(tensor, bytes, at);
          at += bytes.length;
        }
        done += tensor.byteLength;
        onProgress(done, total);
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
