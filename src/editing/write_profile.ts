import { CHAIN_DEFAULTS } from "./defaults.ts";
import { type Matrix, matrix, multiplyNt } from "../linalg/dense.ts";
import { ALWAYS_IN, leftOutResiduals } from "../linalg/left_out.ts";
import { SeededRandom } from "../linalg/seeded_random.ts";
import { captureRows } from "../model/capture.ts";
import type { Model } from "../model/model.ts";
import type { Fact, Facts } from "./facts.ts";
import { modelAnswerer } from "./model_answerer.ts";
import { selectSupport, type Support } from "./support.ts";

/** How well a write at each FFN layer would carry over to prompts that it was not made from. */
export interface WriteProfile {
  /**
   * Left-out error of each layer, mean over the facts: 0 if a head that is left out receives the whole change and a
   * neighbour that is left out none of it, 1 if no head receives anything.
   */
  error: number[];
  /** Facts that were tried. */
  facts: number;
}

/** Facts that are tried, drawn from the relations in turn. */
const FACTS = 12;

/** Heads that lead to a fact, of which one after the other is left out; fewer than the least tell nothing. */
const HEADS = { most: 6, least: 3 };

/** Neighbours, and chains through them, that must not change. */
const NEIGHBOURS = 10;

/** What stands for the second moments in the metric: this much of the mean diagonal of the neighbours' keys, times I. */
const ISOTROPIC = 0.1;

/**
 * Fits, for a sample of facts and every FFN layer, the change that gives 1 to the fact's prompts and 0 to its
 * neighbours', and measures it where it was not fitted.
 *
 * A layer's keys must tell the chains that lead to a fact from those that do not: before attention has brought the
 * subject of the second hop to the last token they cannot, and an edit there reaches every subject of the relation. The
 * least squares of chain mode is linear in the wanted change, so this is seen without a search and without second
 * moments: 1 and 0 stand for all of the change and none of it.
 *
 * @param exclude Subjects set aside to judge an edit by.
 * @returns The profile; no facts were tried if none has enough heads that the model answers.
 */
export async function writeProfile(
  model: Model,
  facts: Facts,
  options: { exclude?: readonly string[]; seed?: number } = {},
): Promise<WriteProfile> {
  const { exclude = [], seed = 0 } = options;
  const { nLayers } = model.config;
  const answerer = modelAnswerer(model);
  const error = new Array<number>(nLayers).fill(0);
  let count = 0;
  for (const fact of candidates(facts, new Set(exclude), seed)) {
    if (count === FACTS) break;
    const relation = facts.relation(fact.relation);
    const request = { prompt: relation.cloze[0]!, subject: fact.subject, target: fact.object };
    const support = await selectSupport(facts, request, {
      answerer,
      exclude,
      seed,
      heads: HEADS.most,
      siblings: NEIGHBOURS,
      chains: NEIGHBOURS,
    });
    if (support.used.heads.length < HEADS.least || support.used.siblings.length < NEIGHBOURS / 2) continue;
    const { prompts, wanted, groups } = trial(support);
    const sequences = prompts.map((prompt) => model.tokens(prompt)).map((ids) => ({
      ids,
      positions: [ids.length - 1],
    }));
    const hooks = error.map((_, layer) => `blocks.${layer}.mlp.hook_post`);
    for (const [layer, keys] of (await captureRows(model, sequences, hooks)).entries()) {
      error[layer]! += leftOutError(matrix(prompts.length, keys.length / prompts.length, keys), wanted, groups);
    }
    count++;
  }
  return { error: error.map((sum) => sum / Math.max(1, count)), facts: count };
}

/** Facts with enough heads, one of each relation after the other. */
function candidates(facts: Facts, aside: ReadonlySet<string>, seed: number): Fact[] {
  const byRelation = [...facts.relations.keys()].map((name) => {
    const led = facts.factsOf(name).filter(({ subject }) =>
      !aside.has(subject) && facts.headsOf(subject).filter((head) => !aside.has(head.subject)).length >= HEADS.least
    );
    return new SeededRandom(seed, "write profile", name).shuffle(led);
  });
  const longest = Math.max(0, ...byRelation.map((list) => list.length));
  return Array.from({ length: longest }, (_, round) => byRelation.flatMap((list) => list.slice(round, round + 1)))
    .flat();
}

/** The first wording of every prompt, what it should receive, and what is left out together. */
function trial(support: Support): { prompts: string[]; wanted: number[]; groups: number[] } {
  const { oneHop, twoHop, preserve, used: { heads, siblings, siblingHeads } } = support;
  const forms = oneHop.length;
  const kept = [...siblings, ...siblingHeads.map((head) => head.object)];
  return {
    prompts: [
      oneHop[0]!,
      ...heads.map((_, i) => twoHop[i * forms]!),
      ...kept.map((_, i) => preserve[i * forms]!),
    ],
    wanted: [1, ...heads.map(() => 1), ...kept.map(() => 0)],
    groups: [
      ALWAYS_IN,
      ...heads.map((_, i) => i),
      ...kept.map((sibling) => heads.length + siblings.indexOf(sibling)),
    ],
  };
}

/**
 * Mean square of what left-out heads lack, plus that of what left-out neighbours receive.
 *
 * The fit is that of chain mode, D = R (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹ with M = a I + (keptWeight / n) sum s sᵀ, in its
 * other form: a ridge regression on keys and neighbours together, with noise ridge a on the first and a n / keptWeight on
 * the second.
 */
function leftOutError(keys: Matrix, wanted: readonly number[], groups: readonly number[]): number {
  const { ridge, keptWeight } = CHAIN_DEFAULTS;
  const u = keys.rows;
  const system = multiplyNt(keys, keys);
  const kept = wanted.flatMap((value, row) => value === 0 ? [row] : []);
  const heads = wanted.flatMap((value, row) => value === 1 && groups[row] !== ALWAYS_IN ? [row] : []);
  const square = kept.reduce((sum, row) => sum + system.data[row * u + row]!, 0);
  const a = ISOTROPIC * square / (kept.length * keys.cols);
  wanted.forEach((value, row) => system.data[row * u + row]! += value === 1 ? ridge * a : a * kept.length / keptWeight);
  const missing = leftOutResiduals(system, matrix(u, 1, wanted), groups).data;
  const meanSquare = (rows: readonly number[]): number =>
    rows.reduce((sum, row) => sum + missing[row]! ** 2, 0) / rows.length;
  return meanSquare(heads) + meanSquare(kept);
}
