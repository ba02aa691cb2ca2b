/**
 * Folders that older GPTQ and AWQ tools wrote: they say so in a file of their own and not in config.json.
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { FileError } from "./file_error.ts";
import { isFile } from "./file_kind.ts";
import { readJsonFile } from "./json_file.ts";

/** The files, with the method that writes them: AutoGPTQ and AutoAWQ before `quantization_config` of config.json. */
export const QUANTISATION_FILES: Readonly<Record<string, string>> = {
  "quantize_config.json": "gptq",
  "quant_config.json": "awq",
};

/** What the tools write. ONNX exports have a `quantize_config.json` without any of it, beside weights in full. */
const FIELDS = ["bits", "w_bit", "quant_method"];

/**
 * Refuses a folder whose weights are quantised by the word of a separate file.
 *
 * @param dir Folder of a model.
 * @throws {FileError} Names the file and the method; or if that file cannot be read.
 */
export async function refuseQuantisedFolder(dir: string): Promise<void> {
  for (const [name, tool] of Object.entries(QUANTISATION_FILES)) {
    const path = join(dir, name);
    if (!await isFile(path)) continue;
    const found = await readJsonFile(path, z.looseObject({}));
    if (!FIELDS.some((field) => found[field] !== undefined)) continue;
    const method = typeof found["quant_method"] === "string" ? found["quant_method"] : tool;
    throw new FileError(
      path,
      `Cannot use ${path}: found weights quantised by ${JSON.stringify(method)}, wanted F32, F16 or BF16 weights; ` +
        `take the model before quantisation, or a GGUF file of it`,
    );
  }
}
