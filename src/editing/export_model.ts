/**
 * A model with its edits written as a folder that Python's `transformers` loads.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { INDEX_FILE, SINGLE_FILE } from "../checkpoint/checkpoint_folder.ts";
import type { WeightDtype } from "../checkpoint/convert_floats.ts";
import { fileError } from "../checkpoint/file_error.ts";
import { type ModelFiles, openModelFiles } from "../checkpoint/open_model.ts";
import { writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { WeightSource } from "../checkpoint/weight_source.ts";
import { type OpenSink, writeFileAtomic } from "../checkpoint/write_file.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { readModelConfig } from "../model/architectures.ts";
import { checkPatch, type LowRankPatch } from "../model/patched_weight.ts";
import { type NamedWeight, namedWeights } from "../model/named_weights.ts";
import { checkAbsent, copyDescription, nameDtype, writeFolder } from "./export_files.ts";
import { checkChanges, collectChanges, type ExportDtype, tensorsByFile, writtenAs } from "./export_tensors.ts";
import { writeGgufTokenizer } from "./export_tokenizer.ts";
import { readPatch, type StoredPatch } from "./patch_file.ts";

const TORCH_NAMES: Readonly<Record<WeightDtype, string>> = { F32: "float32", BF16: "bfloat16", F16: "float16" };

/** Options of {@linkcode exportModel}. */
export interface ExportOptions {
  /** Patch files, in the order in which they are applied. */
  patches?: readonly string[];
  /** What weights are written as. Default: `keep`. */
  dtype?: ExportDtype;
  /** Stops between pieces. */
  signal?: AbortSignal;
  /** Told the bytes of weights that are written, and in all. */
  onProgress?: (bytes: number, total: number) => void;
  /** Opens the temporary files of weights. */
  open?: OpenSink;
}

/** An edited matrix of an exported model. */
export interface ExportedEdit {
  /** Name in the file. */
  readonly tensor: string;
  /** Type that it was stored as. */
  readonly stored: string;
  /** Type that it is written as; the edit is rounded unless it is F32. */
  readonly written: WeightDtype;
}

/** What was written. */
export interface ExportReport {
  /** Names of all files. */
  readonly files: readonly string[];
  /** Bytes of weights. */
  readonly bytes: number;
  /** Edited matrices. */
  readonly edits: readonly ExportedEdit[];
}

/**
 * Writes a model with its edits.
 *
 * Weights stream from file to file; only an edited matrix is held as a whole. It is computed on the GPU as applying the
 * edit computes it, so that its f32 bits are the same.
 *
 * @param gpu Computes the edited matrices.
 * @param path Folder of the model in Hugging Face layout, or GGUF file, whose blocks are widened.
 * @param out Folder to write; absent or empty.
 * @param options Patches and type.
 * @returns What was written.
 * @throws {FileError} If a file is missing or damaged, a patch belongs to another model, something is at `out`, or the
 * disk is full; nothing is left behind.
 * @throws {TypeError} If the family is unknown, or an edited tensor is not as config.json says.
 * @throws {RangeError} If a value is beyond the range of the wanted type.
 */
export async function exportModel(
  gpu: Gpu,
  path: string,
  out: string,
  options: ExportOptions = {},
): Promise<ExportReport> {
  await checkAbsent(out);
  using files = await openModelFiles(path, []);
  const source = files.weights;
  const configText = await readConfigText(files);
  const weights = namedWeights(readModelConfig(files.config, files.configPath), source.tensors);
  const stored = await readPatches(source, weights, options.patches ?? []);
  const changes = collectChanges(weights, stored.flatMap(({ patches }) => patches));
  checkChanges(source, changes);
  const { dtype = "keep" } = options;
  const edits = [...changes.keys()].map((tensor): ExportedEdit => ({
    tensor,
    stored: source.tensors.get(tensor)!.dtype,
    written: writtenAs(dtype) ?? "F32",
  }));
  let done = 0;
  const shards = tensorsByFile(gpu, source, changes, dtype, (bytes) => {
    options.signal?.throwIfAborted();
    options.onProgress?.(done += bytes, total);
  });
  const total = [...shards.values()].flat().reduce((sum, { data }) => sum + data.byteLength, 0);
  const metadata = { format: "pt", ...(stored.length === 0 ? {} : { edits: JSON.stringify(stored.map(provenance)) }) };
  const written: string[] = ["config.json"];
  await writeFolder(out, async (temporary) => {
    const loaded = writtenAs(dtype) ?? (edits.length > 0 || files.metadata !== null ? "F32" : null);
    const config = loaded === null ? configText : nameDtype(configText, TORCH_NAMES[loaded]);
    await writeFileAtomic(join(temporary, "config.json"), config);
    written.push(...await copyDescription(dirname(files.configPath), temporary));
    if (files.metadata !== null && !written.includes("tokenizer.json")) {
      written.push(...await writeGgufTokenizer(files.metadata, files.configPath, temporary));
    }
    for (const [file, tensors] of shards) {
      await writeSafetensors(join(temporary, file), tensors, metadata, options.open);
      written.push(file);
    }
    if (shards.size > 1 || !shards.has(SINGLE_FILE)) {
      const map = [...shards].flatMap(([file, tensors]) => tensors.map(({ name }) => [name, file]));
      const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) };
      await writeFileAtomic(join(temporary, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
      written.push(INDEX_FILE);
    }
  });
  return { files: written, bytes: total, edits };
}

/** The config as it is in the folder, byte for byte, or what stands for it in a GGUF file. */
async function readConfigText({ config, configPath, metadata }: ModelFiles): Promise<string> {
  if (metadata !== null) return `${JSON.stringify(config, null, 2)}\n`;
  try {
    return await Deno.readTextFile(configPath);
  } catch (cause) {
    throw fileError("read", configPath, cause);
  }
}

async function readPatches(
  source: WeightSource,
  weights: readonly NamedWeight[],
  paths: readonly string[],
): Promise<StoredPatch[]> {
  if (paths.length === 0) return [];
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const target = {
    hash: await source.hash(),
    check: (patches: readonly LowRankPatch[]): void => {
      for (const patch of patches) {
        const weight = byName.get(patch.weight);
        if (!weight || !source.tensors.has(weight.stored)) {
          throw new TypeError(`Cannot find weight "${patch.weight}": this model has ${weights.length} others`);
        }
        if (weight.slice) {
          throw new TypeError(
            `Cannot export a change of "${patch.weight}": "${weight.stored}" holds other weights too, wanted a weight ` +
              `with a tensor of its own. Export a change of W_out`,
          );
        }
        checkPatch(patch, weight.shape, weight.layout);
      }
    },
  };
  const stored: StoredPatch[] = [];
  for (const path of paths) stored.push(await readPatch(path, target));
  return stored;
}

/** What the files say of an edit, so that nobody takes the model for the original. */
function provenance({ record: { method, mode, requests } }: StoredPatch): unknown {
  return { by: "ace-webgpu", method, mode, requests };
}
