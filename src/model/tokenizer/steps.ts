/**
 * The steps that a `tokenizer.json` lists for each of its parts: one, a sequence of them, or none.
 *
 * @module
 */

import { z } from "zod";
import { FileError, quoteValue } from "../../checkpoint/file_error.ts";
import { validateJson } from "../../checkpoint/json_file.ts";

/** One step as its file describes it; a `Sequence` holds further steps. */
export const stepSchema = z.looseObject({ type: z.string() });

/** One step as its file describes it; a `Sequence` holds further steps. */
export type Step = z.infer<typeof stepSchema>;

/** Parts of a tokenizer that consist of steps, with the keys under which their sequences keep them. */
const SEQUENCE_KEYS = {
  normalizer: "normalizers",
  pre_tokenizer: "pretokenizers",
  post_processor: "processors",
  decoder: "decoders",
} as const;

/** A part of a tokenizer that consists of steps. */
export type Role = keyof typeof SEQUENCE_KEYS;

/**
 * Lists the steps of a part, sequences flattened.
 *
 * @param path File the steps came from, for messages.
 * @param role Which part.
 * @param root Its step, or null.
 * @param known Types that are done as the reference does them.
 * @returns The steps in order.
 * @throws {FileError} If a step is of another type, or a sequence holds no steps.
 */
export function listSteps(path: string, role: Role, root: Step | null, known: readonly string[]): Step[] {
  const steps: Step[] = [];
  const open = root === null ? [] : [root];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (step.type === "Sequence") {
      const key = SEQUENCE_KEYS[role];
      const schema = z.looseObject({ [key]: z.array(stepSchema) });
      open.push(...validateJson(path, step, schema)[key]!.toReversed());
    } else if (known.includes(step.type)) steps.push(step);
    else throw unsupported(path, `the ${role} ${step.type}`, `${known.join(", ")} or a Sequence of them`);
  }
  return steps;
}

/**
 * The error for what a file asks for and this project does not reproduce exactly.
 *
 * @param path The file.
 * @param found What it holds.
 * @param wanted What would do.
 */
export function unsupported(path: string, found: string, wanted: string): FileError {
  return new FileError(
    path,
    `Cannot use ${path}: found ${found}, wanted ${wanted}; take a model with a BPE tokenizer of a supported family`,
  );
}

/** Quotes a text of a file in a message. */
export const quote = quoteValue;
