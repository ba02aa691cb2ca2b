import { sideBySide } from "../gpu/side_by_side.ts";
import type { Model } from "../model/model.ts";
import type { Contexts } from "./targets.ts";

/** Words that contexts begin with, as in the published code of MEMIT, PMET and ACE; the first ones are used. */
const BEGINNINGS = ["The", "Therefore", "Because", "I", "You"];

/**
 * Context templates for search and keys: the bare prompt, and `count` short texts sampled from the model before it.
 *
 * Sampled by the unedited model with top-k 5 and a seed, so that an edit can be repeated; the published code samples
 * unseeded, from whatever state the model is in.
 *
 * @param seed Whole number from 0 to 2^53 - 1.
 * @param count Sampled texts, at most 5.
 * @param length Tokens of each, its beginning included.
 * @param signal Stops before the next token.
 */
export async function makeContexts(
  model: Model,
  seed: number,
  { count = 3, length = 10, signal }: { count?: number; length?: number; signal?: AbortSignal | undefined } = {},
): Promise<Contexts> {
  const sample = async (beginning: string, i: number): Promise<string> => {
    const maxTokens = Math.max(1, length - model.tokens(beginning).length);
    let text = beginning;
    const options = { maxTokens, temperature: 1, topK: 5, seed: seedOf(seed, i), signal };
    for await (const piece of model.generate(beginning, options)) text += piece;
    return `${text.replaceAll(/[{}]/g, " ").replaceAll(/\s+/g, " ").trim()}. {}`;
  };
  const texts = await sideBySide(BEGINNINGS.slice(0, count).map(sample));
  return texts.length > 0 ? [["{}"], texts] : [["{}"]];
}

/** Seed of one text: whole numbers up to 2^53 - 1, exactly, whatever the seed of all. */
function seedOf(seed: number, text: number): number {
  const own = BigInt(seed) * BigInt(BEGINNINGS.length) + BigInt(text);
  return Number(BigInt.asUintN(53, own));
}
