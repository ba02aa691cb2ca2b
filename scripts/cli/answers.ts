import { fillTemplate } from "../../src/editing/prompt_forms.ts";
import type { EditRequest } from "../../src/editing/requests.ts";
import type { Model } from "../../src/model/model.ts";

/** What a model answers now to the prompts of some requests. */
export async function answers(
  model: Model,
  requests: readonly EditRequest[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const { prompt, subject } of requests) {
    found.push((await model.complete(fillTemplate(prompt, subject), { signal })).trim());
  }
  return found;
}
