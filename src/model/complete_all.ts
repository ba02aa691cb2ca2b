import { sideBySide } from "../gpu/side_by_side.ts";
import type { GenerateOptions } from "./generate.ts";
import type { Model } from "./model.ts";

/** Prompts that are completed at a time: enough to share the waits, few enough for their keys and values. */
const AT_ONCE = 8;

/**
 * Completes prompts as {@linkcode Model.complete} does each, several at a time.
 *
 * @returns One continuation a prompt, in order.
 */
export async function completeAll(
  model: Model,
  prompts: readonly string[],
  options: GenerateOptions = {},
): Promise<string[]> {
  const found: string[] = [];
  for (let first = 0; first < prompts.length; first += AT_ONCE) {
    const part = prompts.slice(first, first + AT_ONCE);
    found.push(...await sideBySide(part.map((prompt) => model.complete(prompt, options))));
  }
  return found;
}
