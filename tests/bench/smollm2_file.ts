/**
 * Where the bench finds SmolLM2-135M-Instruct.
 *
 * @module
 */
import { join } from "node:path";

/** Folder in which the file is looked for. */
export const SMOLLM2_FOLDER = join("models", "smollm2");

/** The file that was named, else the only one in {@linkcode SMOLLM2_FOLDER}, else null. */
export async function smollm2File(named?: string): Promise<string | null> {
  if (named !== undefined) return named;
  try {
    for await (const { name } of Deno.readDir(SMOLLM2_FOLDER)) {
      if (name.endsWith(".gguf")) return join(SMOLLM2_FOLDER, name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return null;
}
