/**
 * Edits on disk: a safetensors file with the low-rank factors and, in its metadata, everything they were made from.
 *
 * @module
 */
import { z } from "zod";
import { FileError } from "../checkpoint/file_error.ts";
import { countNonFinite, decodeFloats } from "../checkpoint/half.ts";
import { SafetensorsFile } from "../checkpoint/safetensors_reader.ts";
import { writeSafetensors } from "../checkpoint/safetensors_writer.ts";
import type { OpenSink } from "../checkpoint/write_file.ts";
import { layerOfHook } from "../model/capture.ts";
import type { Model } from "../model/model.ts";
import type { LowRankPatch } from "../model/patched_weight.ts";
import { Edit, type EditNorm, type EditRecord } from "./edit.ts";

/** Version of the layout; a reader refuses newer ones. */
const VERSION = 1;

const headSchema = z.object({ version: z.int(), record: z.string(), norms: z.string() });
const recordSchema = z.looseObject({
  method: z.string(),
  mode: z.string().nullable(),
  modelHash: z.string(),
  model: z.string(),
  requests: z.array(z.object({ prompt: z.string(), subject: z.string(), target: z.string() })),
});
const normsSchema: z.ZodType<EditNorm[]> = z.array(z.object({
  layer: z.int().min(0),
  change: z.number(),
  // JSON has no infinity, which is what a change of a weight of zeros is of its norm.
  relative: z.number().nullable().transform((value) => value ?? Infinity),
}));

/**
 * Writes an edit to `path` (temporary name, then rename).
 *
 * @param open Opens the temporary file.
 * @throws {FileError} If the file cannot be written; nothing is left behind.
 */
export async function saveEdit(edit: Edit, path: string, open?: OpenSink): Promise<void> {
  const tensors = edit.patches.flatMap(({ weight, left, right, rank }) => [
    { name: `${weight}.left`, dtype: "F32" as const, shape: [left.length / rank, rank], data: left },
    { name: `${weight}.right`, dtype: "F32" as const, shape: [right.length / rank, rank], data: right },
  ]);
  await writeSafetensors(path, tensors, {
    format: "ace-webgpu edit",
    version: String(VERSION),
    record: JSON.stringify(edit.record),
    norms: JSON.stringify(edit.norms()),
  }, open);
}

/** The model that a patch file must belong to. */
export interface PatchTarget {
  /** SHA-256 of its stored weights. */
  readonly hash: string;
  /** Passes changes that fit it. @throws {RangeError} If a factor does not fit its weight; {TypeError} if there is none. */
  check(patches: readonly LowRankPatch[]): void;
}

/** Content of a patch file. */
export interface StoredPatch {
  /** What the edit was made from. */
  readonly record: EditRecord;
  /** Its changes, in the order of their layers. */
  readonly patches: readonly LowRankPatch[];
  /** Size of the change in every layer. */
  readonly norms: readonly EditNorm[];
}

/**
 * Reads an edit of `model`.
 *
 * @throws {FileError} If the file is damaged, no edit, of a newer version, or of another model.
 */
export async function loadEdit(model: Model, path: string): Promise<Edit> {
  const target = { hash: model.hash, check: (patches: readonly LowRankPatch[]) => model.patches.check(patches) };
  const { record, patches, norms } = await readPatch(path, target);
  return new Edit(model, record, patches, norms);
}

/**
 * Reads a patch file without a model on the GPU.
 *
 * @param target What it must belong to.
 * @throws {FileError} As {@linkcode loadEdit}.
 */
export async function readPatch(path: string, target: PatchTarget): Promise<StoredPatch> {
  using file = await SafetensorsFile.open(path);
  const refuse = (found: string, remedy: string): FileError =>
    new FileError(path, `Cannot load edit ${path}: ${found}. ${remedy}`);
  if (file.metadata.get("format") !== "ace-webgpu edit") {
    throw refuse("found a file that is no edit", "Give the file that `edit --save` wrote");
  }
  const version = Number(file.metadata.get("version"));
  if (version > VERSION) {
    throw refuse(`found version ${version}, wanted at most ${VERSION}`, "Use a newer release of ace-webgpu");
  }
  const head = headSchema.safeParse({
    version,
    record: file.metadata.get("record"),
    norms: file.metadata.get("norms"),
  });
  if (!head.success) throw refuse("its description is incomplete", "Save the edit again");
  const { record, norms } = parseDescription(head.data, refuse);
  if (record.modelHash !== target.hash) {
    throw refuse(
      `it was made for ${record.model} with weights ${record.modelHash.slice(0, 12)}, found a model with weights ` +
        target.hash.slice(0, 12),
      "Load the model that it was made for",
    );
  }
  const patches: LowRankPatch[] = [];
  const names = new Set(file.names);
  for (const leftName of file.names.filter((name) => name.endsWith(".left"))) {
    const weight = leftName.slice(0, -".left".length);
    const rightName = `${weight}.right`;
    if (!names.has(rightName)) throw refuse(`factor "${rightName}" is missing`, "Save the edit again");
    const read = async (name: string): Promise<Float32Array> => {
      const { dtype, shape } = file.info(name);
      if (dtype !== "F32" || shape.length !== 2 || shape[1] === 0) {
        throw refuse(`factor "${name}" is ${dtype} [${shape}], wanted F32 of two sizes from 1`, "Save the edit again");
      }
      const bytes = await file.read(name);
      if (countNonFinite(dtype, bytes) > 0) {
        throw refuse(`factor "${name}" holds values that are NaN or infinite`, "Compute the edit again");
      }
      return Float32Array.from(decodeFloats(dtype, bytes));
    };
    patches.push({
      weight,
      left: await read(leftName),
      right: await read(rightName),
      rank: file.info(leftName).shape[1]!,
    });
  }
  if (patches.length === 0) throw refuse("it holds no change of a weight", "Save the edit again");
  try {
    target.check(patches);
    patches.sort((a, b) => layerOfHook(a.weight) - layerOfHook(b.weight));
  } catch (cause) {
    throw refuse(`its changes do not fit the model (${(cause as Error).message})`, "Save the edit again");
  }
  return { record, patches, norms };
}

function parseDescription(
  head: { record: string; norms: string },
  refuse: (found: string, remedy: string) => FileError,
): { record: EditRecord; norms: EditNorm[] } {
  try {
    const record = recordSchema.parse(JSON.parse(head.record)) as unknown as EditRecord;
    return { record, norms: normsSchema.parse(JSON.parse(head.norms)) };
  } catch {
    throw refuse("its description is damaged", "Save the edit again");
  }
}
