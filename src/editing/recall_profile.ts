import { contrastScores } from "../attribution/contrast.ts";
import { ScoredPrompt } from "../attribution/scored_prompt.ts";
import { SeededRandom } from "../linalg/seeded_random.ts";
import type { Model } from "../model/model.ts";
import { targetIds } from "./edit_token.ts";
import type { Facts } from "./facts.ts";
import { fillTemplate } from "./prompt_forms.ts";
import { alternatives } from "./support.ts";

/** Where a model writes the facts of a file. */
export interface RecallProfile {
  /** Contrast of each FFN layer with the other objects of the relation, mean over the facts, in nats. */
  ffn: number[];
  /** Facts that were scored. */
  facts: number;
}

/** Facts of each relation that are scored. */
const FACTS_PER_RELATION = 3;

/**
 * Scores a sample of facts of every relation by contrast.
 *
 * The contrast of a single fact is noisy where attention carries much of the answer; the mean over facts shows the layer
 * at which the model tells objects apart, whichever fact is edited.
 *
 * @param exclude Subjects set aside to judge an edit by; their facts are not looked at.
 */
export async function recallProfile(
  model: Model,
  facts: Facts,
  options: { exclude?: readonly string[]; seed?: number } = {},
): Promise<RecallProfile> {
  const { exclude = [], seed = 0 } = options;
  const aside = new Set(exclude);
  const ffn = new Array<number>(model.config.nLayers).fill(0);
  let count = 0;
  for (const relation of facts.relations.values()) {
    const random = new SeededRandom(seed, "recall profile", relation.name);
    const free = facts.factsOf(relation.name).filter((fact) => !aside.has(fact.subject));
    for (const { subject, object } of random.sample(free, FACTS_PER_RELATION)) {
      const [target] = targetIds(model.tokenizer, object);
      const others = alternatives(facts, relation.name, object).map((other) => targetIds(model.tokenizer, other)[0]!);
      const distinct = [...new Set(others)].filter((id) => id !== target);
      if (target === undefined || distinct.length === 0) continue;
      using prompt = await ScoredPrompt.open(model, model.tokens(fillTemplate(relation.cloze[0]!, subject)), target);
      const { layers } = await contrastScores(prompt, distinct);
      layers.ffn.forEach((score, layer) => ffn[layer]! += score);
      count++;
    }
  }
  return { ffn: ffn.map((sum) => sum / Math.max(1, count)), facts: count };
}
