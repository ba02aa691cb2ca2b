import { fillTemplate } from "../../src/editing/prompt_forms.ts";
import type { EditRequest } from "../../src/editing/requests.ts";
import { completeAll } from "../../src/model/complete_all.ts";
import type { Model } from "../../src/model/model.ts";

/** What a model answers now to the prompts of some requests. */
export async function answers(
  model: Model,
  requests: readonly EditRequest[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const prompts = requests.map(({ prompt, subject }) => fillTemplate(prompt, subject));
  return (await completeAll(model, prompts, { signal })).map((answer) => answer.trim());
}
