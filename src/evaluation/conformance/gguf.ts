/**
 * Golden checks of GGUF files: every value of every tensor, and the logits of the model where the file holds one.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { widenBlocks } from "../../checkpoint/blocks/block_formats.ts";
import { GgufFile } from "../../checkpoint/gguf_file.ts";
import { bf16ToF32, f16ToF32, toBf16, toF16 } from "../../checkpoint/half.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { loadModel } from "../../model/load_model.ts";
import { type Check, checkAbsolute, type CheckedCase, checkSame } from "./checks.ts";
import { findTokenizer } from "./discover.ts";
import { LOGIT_TOLERANCE } from "./forward_checks.ts";
import { GoldenTensors } from "./golden_tensors.ts";

/** Largest error of a dequantised value, as a part of it: a few roundings of float32. */
const VALUE_TOLERANCE = 1e-6;

const schema = z.looseObject({
  text: z.string(),
  ids: z.array(z.int()),
  files: z.record(z.string(), z.looseObject({ matrixType: z.string(), reference: z.string().nullable() })),
});

/**
 * Checks one GGUF file against the references beside it.
 *
 * @param path The file; beside it `case.json`, `<name>.dequantised.safetensors` where its values are not those of
 * another file rounded, and `logits.safetensors` with an entry `<name>` where the case lists it as a model.
 * @throws {FileError} If a file is missing or damaged.
 */
export async function checkGgufFile(gpu: Gpu, path: string): Promise<CheckedCase> {
  const dir = dirname(path);
  const { text, ids, files } = await readJsonFile(join(dir, "case.json"), schema);
  const name = basename(path);
  const checks = await checkValues(path, files);
  if (files[name] === undefined) return { name, checks };
  using logits = await GoldenTensors.open(join(dir, "logits.safetensors"));
  using model = await loadModel(gpu, path, { tokenizer: await findTokenizer(dir) });
  checks.push(checkSame("ids of the text", model.tokenizer.encode(text), ids));
  using cache = model.forward(ids, { logits: "all" });
  const found = (await cache.read("logits"))["logits"]!;
  checks.push(checkAbsolute("logits", found, await logits.values(stemOf(name)), LOGIT_TOLERANCE));
  return { name, checks };
}

/** Compares every tensor of a file with its reference. */
async function checkValues(path: string, files: z.infer<typeof schema>["files"]): Promise<Check[]> {
  const name = basename(path);
  const { reference, round } = referenceOf(path, files);
  using file = await GgufFile.open(path);
  using golden = await GoldenTensors.open(join(dirname(path), reference));
  const checks = [checkSame(`${name} tensors`, [...file.tensors.keys()].sort(), golden.names.sort())];
  for (const [tensor, { format, shape }] of file.tensors) {
    const want = await golden.get(tensor);
    const values = shape.length > 1 ? round(want.values) : want.values;
    checks.push(checkSame(`${tensor} shape`, shape, want.shape));
    checks.push({
      what: `${tensor} (${format})`,
      error: largestRelativeError(widenBlocks(format, await file.read(tensor)), values),
      tolerance: VALUE_TOLERANCE,
    });
  }
  return checks;
}

/** The file with the values of a GGUF file, and how they are rounded: half types are compared with the float32 ones. */
function referenceOf(
  path: string,
  files: z.infer<typeof schema>["files"],
): { reference: string; round: (values: Float64Array) => ArrayLike<number> } {
  const { matrixType: half, reference } = files[basename(path)] ?? {};
  const full = Object.values(files).find(({ matrixType, reference }) => matrixType === "F32" && reference !== null);
  if (reference !== null || !full) {
    return { reference: reference ?? `${stemOf(basename(path))}.dequantised.safetensors`, round: (values) => values };
  }
  const round = half === "F16"
    ? (values: Float64Array) => f16ToF32(toF16(values))
    : (values: Float64Array) => bf16ToF32(toBf16(values));
  return { reference: full.reference!, round };
}

function stemOf(name: string): string {
  return name.replace(/\.gguf$/, "");
}

/** Largest distance as a part of the wanted value; infinite where a zero or the number of values is missed. */
function largestRelativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const error = got[i] === want[i] ? 0 : Math.abs(got[i]! - want[i]!) / Math.abs(want[i]!);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error;
  }
  return worst;
}
