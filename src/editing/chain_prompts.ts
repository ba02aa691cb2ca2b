import type { Model } from "../model/model.ts";
import type { ChainRequest } from "./ace_chain.ts";
import { targetIds } from "./edit_token.ts";
import type { Facts } from "./facts.ts";
import { greedyContinuations, modelAnswerer } from "./model_answerer.ts";
import type { EditRequest } from "./requests.ts";
import { headsOfPrompts, selectSupport, type Support } from "./support.ts";

/** Most of the model's own tokens that follow a preserved prompt. */
const MAX_CONTINUATION = 2;

/** A request of chain mode with its prompts, and where they came from. */
export interface ChainPrompts {
  /** Tokens for the method. */
  request: ChainRequest;
  /** The same as text, with what was used of the facts. */
  support: Support;
}

/**
 * Support and preserved prompts of each request, chosen from the facts; preserved ones are continued by the model as it
 * is now, before any edit.
 *
 * @param exclude Heads and subjects that must not be used, because the edit will be judged by them.
 * @param signal Stops before the next question to the model.
 */
export async function chainPrompts(
  model: Model,
  facts: Facts,
  requests: readonly EditRequest[],
  { signal, ...options }: { exclude: readonly string[]; seed: number; signal?: AbortSignal | undefined },
): Promise<ChainPrompts[]> {
  const found: ChainPrompts[] = [];
  for (const request of requests) {
    const support = await selectSupport(facts, request, { answerer: modelAnswerer(model, signal), ...options });
    const ids = (prompts: readonly string[]): number[][] => prompts.map((prompt) => model.tokens(prompt));
    const target = targetIds(model.tokenizer, request.target);
    const preserved = ids(support.preserve.map(({ prompt }) => prompt));
    const count = Math.min(target.length - 1, MAX_CONTINUATION);
    const continuations = await greedyContinuations(model, preserved, count);
    found.push({
      request: {
        oneHop: ids(support.oneHop),
        twoHop: ids(support.twoHop),
        heads: headsOfPrompts(support),
        target,
        preserve: preserved.map((prompt, i) => ({ prompt, continuation: continuations[i]! })),
      },
      support,
    });
  }
  return found;
}
