/**
 * The tensors of an exported model: most stream from file to file, changed matrices come from the GPU.
 *
 * @module
 */
import { type CheckpointTensor, SINGLE_FILE } from "../checkpoint/checkpoint_folder.ts";
import { convertFloats, type WeightDtype } from "../checkpoint/convert_floats.ts";
import { type FloatDtype, isFloatDtype } from "../checkpoint/half.ts";
import { dtypeBytes, type SafetensorsDtype } from "../checkpoint/safetensors_header.ts";
import type { WeightInfo, WeightSource } from "../checkpoint/weight_source.ts";
import type { StreamedData, TensorToWrite } from "../checkpoint/safetensors_writer.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Dtype, formatShape } from "../gpu/tensor.ts";
import { type LowRankPatch, patchedWeight } from "../model/patched_weight.ts";
import type { NamedWeight } from "../model/named_weights.ts";

/** Bytes read, converted and written at a time. */
const CHUNK = 32 * 1024 * 1024;

const WRITTEN: Readonly<Record<string, WeightDtype>> = { f32: "F32", bf16: "BF16", f16: "F16" };
const GPU_DTYPES: Readonly<Record<string, Dtype>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** What weights are written as: `keep` leaves stored types and writes changed matrices in f32, which holds them exactly. */
export type ExportDtype = "keep" | "f32" | "bf16" | "f16";

/** The one type that floats are written as; undefined if they keep theirs. */
export function writtenAs(dtype: ExportDtype): WeightDtype | undefined {
  return WRITTEN[dtype];
}

/** A weight with its changes. */
export interface WeightChange {
  /** Where it is stored and how it lies. */
  readonly weight: NamedWeight;
  /** Changes in the order in which they are applied. */
  readonly patches: readonly LowRankPatch[];
}

/**
 * Sorts changes by the weight that they belong to.
 *
 * @param weights All weights of the model.
 * @param all Changes in the order in which they are applied.
 * @returns By name in the checkpoint; unchanged weights are left out.
 */
export function collectChanges(
  weights: readonly NamedWeight[],
  all: readonly LowRankPatch[],
): Map<string, WeightChange> {
  const changes = new Map<string, WeightChange>();
  for (const weight of weights) {
    const patches = all.filter((patch) => patch.weight === weight.name);
    if (patches.length > 0) changes.set(weight.stored, { weight, patches });
  }
  return changes;
}

/**
 * Passes changes of weights that are stored as config and kernels have them.
 *
 * @throws {TypeError} If a changed tensor is of another shape or type.
 */
export function checkChanges(source: WeightSource, changes: ReadonlyMap<string, WeightChange>): void {
  for (const [name, { weight }] of changes) {
    const { dtype, shape } = source.tensors.get(name)!;
    if (Object.hasOwn(GPU_DTYPES, dtype) && formatShape(shape) === formatShape(weight.storedShape)) continue;
    throw new TypeError(
      `Cannot export ${source.path}: tensor "${name}", which an edit changes, is ${dtype} ${
        formatShape(shape)
      }, wanted ` +
        `F32, F16 or BF16 ${
          formatShape(weight.storedShape)
        } by config.json. Config and weights are not of the same model`,
    );
  }
}

/**
 * Plans the tensors of every file of a model, by their names on the hub, each made when its turn comes.
 *
 * @param gpu Computes the changed matrices.
 * @param source The stored weights, none of them packed, open while the result is in use.
 * @param changes Changes by name in the checkpoint.
 * @param dtype What weights are written as.
 * @param onBytes Told the bytes of every piece; what it raises ends the writing.
 * @returns Tensors by file.
 */
export function tensorsByFile(
  gpu: Gpu,
  source: WeightSource,
  changes: ReadonlyMap<string, WeightChange>,
  dtype: ExportDtype,
  onBytes: (bytes: number) => void,
): Map<string, TensorToWrite<StreamedData>[]> {
  const files = new Map<string, TensorToWrite<StreamedData>[]>();
  for (const [name, info] of source.tensors) {
    const { shape, byteLength } = info;
    const stored = info.dtype as SafetensorsDtype;
    const file = fileOf(info);
    const change = changes.get(name);
    // Masks and other whole numbers stay what they are.
    const written = isFloatDtype(stored) ? writtenAs(dtype) ?? (change ? "F32" : stored) : stored;
    const data = {
      byteLength: byteLength / dtypeBytes(stored) * dtypeBytes(written),
      async *chunks() {
        const pieces = change ? changed(gpu, source, change) : source.chunks(name, CHUNK);
        for await (const bytes of pieces) {
          const converted = convert(source.path, name, change ? "F32" : stored, bytes, written);
          onBytes(converted.length);
          yield converted;
        }
      },
    };
    const tensor = { name, dtype: written, shape, data };
    const tensors = files.get(file);
    if (tensors === undefined) files.set(file, [tensor]);
    else tensors.push(tensor);
  }
  return files;
}

/** File of a folder that a tensor is in; a GGUF file becomes one file. */
function fileOf(info: WeightInfo | CheckpointTensor): string {
  return "file" in info ? info.file : SINGLE_FILE;
}

function convert(
  path: string,
  name: string,
  from: SafetensorsDtype,
  bytes: Uint8Array<ArrayBuffer>,
  to: SafetensorsDtype,
): Uint8Array<ArrayBuffer> {
  if (from === to) return bytes;
  try {
    return convertFloats(from as FloatDtype, bytes, to as WeightDtype);
  } catch (cause) {
    throw new RangeError(`Cannot export tensor "${name}" of ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** A changed matrix in f32, as applying its patches computes it. */
async function* changed(
  gpu: Gpu,
  source: WeightSource,
  { weight, patches }: WeightChange,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { stored, shape, layout } = weight;
  using base = gpu.tensor(shape, stored, GPU_DTYPES[source.tensors.get(stored)!.dtype]!);
  let at = 0;
  for await (const bytes of source.chunks(stored, CHUNK)) {
    gpu.write(base, bytes, at);
    at += bytes.length;
  }
  using sum = patchedWeight(gpu, base, layout, patches);
  const [values] = await gpu.stream.read(sum);
  yield new Uint8Array(values!.buffer as ArrayBuffer, values!.byteOffset, values!.byteLength);
}
