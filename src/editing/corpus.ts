import { dirname, join } from "node:path";
import type { Model } from "../model/model.ts";
import { FileError, fileError } from "../checkpoint/file_error.ts";
import { MOMENT_DOCUMENTS, SMALL_MODEL } from "./defaults.ts";
import type { EditOptions } from "./edit_options.ts";
import { SecondMoments } from "./second_moments.ts";
import type { MomentSource } from "./session.ts";

/** Reads documents of a corpus, one a line. @throws {FileError} If it cannot be read, is no UTF-8 text or is empty. */
export async function readCorpus(path: string, count: number = MOMENT_DOCUMENTS): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileError(
      path,
      `Cannot use corpus ${path}: found bytes that are no UTF-8, wanted text, one document a line; convert the file or give another`,
      { cause },
    );
  }
  const documents = text.split("\n").filter((line) => line.trim() !== "").slice(0, count);
  if (documents.length === 0) {
    throw new FileError(path, `Cannot use corpus ${path}: it is empty, wanted one document a line`);
  }
  return documents;
}

/**
 * Names the corpus that an edit's second moments are taken over: the given one, or `corpus.txt` beside the facts file.
 *
 * @throws {TypeError} If there is none, or the model is too large for the default corpus to say anything.
 */
export function corpusFor(model: Model, options: EditOptions): string {
  const { facts } = options;
  const corpus = options.corpus ??
    (facts && model.config.dModel <= SMALL_MODEL ? join(dirname(facts.path), "corpus.txt") : undefined);
  if (corpus !== undefined) return corpus;
  throw new TypeError(
    "Cannot edit without second moments: found no corpus, wanted text whose knowledge is to be preserved. " +
      "Give a corpus, one document a line (`corpus: path`, or --corpus FILE), and to reuse what `deno task moments` " +
      "kept also its folder (`momentsCache`, or --moments-cache DIR)",
  );
}

/**
 * Second moments for an edit: those given, if they belong to the model, or computed over the corpus.
 *
 * @throws {TypeError} If they belong to another model, or if there is no corpus, or the model is too large for the
 * default corpus to say anything.
 */
export async function momentsFor(model: Model, layers: readonly number[], options: EditOptions): Promise<MomentSource> {
  const { moments, signal, onProgress } = options;
  if (moments) {
    if (moments.modelHash !== undefined && moments.modelHash !== model.hash) {
      throw new TypeError(
        `Cannot use second moments of a model with weights ${moments.modelHash.slice(0, 12)}: found a model with ` +
          `weights ${model.hash.slice(0, 12)}. Compute them for this model with \`deno task moments\``,
      );
    }
    return moments;
  }
  const corpus = corpusFor(model, options);
  return await SecondMoments.compute(model, {
    documents: await readCorpus(corpus),
    layers,
    ...(options.momentsCache === undefined ? {} : { cacheDir: options.momentsCache }),
    signal,
    onProgress: (done, total) => onProgress?.({ stage: "second moments", done, total }),
  });
}
