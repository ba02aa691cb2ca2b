import { CHAIN_DEFAULTS } from "./defaults.ts";
import { type Matrix, matrix, multiplyNt } from "../linalg/dense.ts";
import { ALWAYS_IN, leftOutResiduals } from "../linalg/left_out.ts";
import { SeededRandom } from "../linalg/seeded_random.ts";
import { captureRows } from "../model/capture.ts";
import type { Model } from "../model/model.ts";
import type { Fact, Facts } from "./facts.ts";
import type { Answerer } from "./prompt_forms.ts";
import { type KeptPrompt, selectSupport, type Support } from "./support.ts";

/** How well a write at each FFN layer would carry over to prompts that it was not made from. */
export interface WriteProfile {
  /**
   * Left-out error of each layer, mean over the facts: the mean squares of what left-out heads lack of the change, of
   * what left-out neighbours receive of it, and of what left-out facts of other relations do. 0 is a write that reaches
   * what it should and nothing else, 1 one that reaches nothing.
   */
  error: number[];
  /** Facts that were tried. */
  facts: number;
}

/** Facts that are tried, drawn from the relations in turn. */
const FACTS = 12;

/** Heads that lead to a fact, of which one after the other is left out; fewer than the least tell little. */
const HEADS = { most: 6, least: 3 };

/** Neighbours, chains through them and other facts about them, that must not change. */
const NEIGHBOURS = 10;

/** Takes heads as the facts list them: asking the model for each would take longer than all the rest. */
const TRUSTING: Answerer = { given: (prompts) => Promise.resolve(prompts.map(() => true)) };

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
 * @returns The profile; no facts were tried if none has enough heads and neighbours.
 */
export async function writeProfile(
  model: Model,
  facts: Facts,
  options: { exclude?: readonly string[]; seed?: number } = {},
): Promise<WriteProfile> {
  const { exclude = [], seed = 0 } = options;
  const { nLayers } = model.config;
  const error = new Array<number>(nLayers).fill(0);
  let count = 0;
  for (const fact of candidates(facts, new Set(exclude), seed)) {
    if (count === FACTS) break;
    const relation = facts.relation(fact.relation);
    const request = { prompt: relation.cloze[0]!, subject: fact.subject, target: fact.object };
    const support = await selectSupport(facts, request, {
      answerer: TRUSTING,
      exclude,
      seed,
      heads: HEADS.most,
      siblings: NEIGHBOURS,
      others: NEIGHBOURS,
    });
    if (support.used.heads.length < HEADS.least || support.used.siblings.length < NEIGHBOURS / 2) continue;
    const rows = trial(support);
    const sequences = rows.map(({ prompt }) => model.tokens(prompt)).map((ids) => ({
      ids,
      positions: [ids.length - 1],
    }));
    const hooks = error.map((_, layer) => `blocks.${layer}.mlp.hook_post`);
    for (const [layer, keys] of (await captureRows(model, sequences, hooks)).entries()) {
      error[layer]! += leftOutError(matrix(rows.length, keys.length / rows.length, keys), rows);
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

/** One prompt of a trial: what it is and which others are left out with it. */
interface TrialRow {
  prompt: string;
  kind: "fact" | "head" | KeptPrompt["kind"];
  group: number;
}

/** The fact and its heads in their first wording, and what is kept; a kept subject is left out with all its prompts. */
function trial({ oneHop, twoHop, preserve, used: { heads } }: Support): TrialRow[] {
  const subjects = [...new Set(preserve.map(({ subject }) => subject))];
  return [
    { prompt: oneHop[0]!, kind: "fact", group: ALWAYS_IN },
    ...heads.map((_, i): TrialRow => ({ prompt: twoHop[i * oneHop.length]!, kind: "head", group: i })),
    ...preserve.filter(({ kind }) => kind !== "same subject").map((kept): TrialRow => ({
      prompt: kept.prompt,
      kind: kept.kind,
      group: heads.length + subjects.indexOf(kept.subject),
    })),
  ];
}

/**
 * Mean squares of what left-out heads lack, and of what left-out neighbours and other facts receive.
 *
 * The fit is that of chain mode, D = R (ridge I + Kᵀ M⁻¹ K)⁻¹ Kᵀ M⁻¹ with M = a I + (keptWeight / n) sum s sᵀ, in its
 * other form: a ridge regression on keys K and kept keys s together, with noise ridge a on the first and
 * a n / keptWeight on the second.
 */
function leftOutError(keys: Matrix, rows: readonly TrialRow[]): number {
  const { ridge, keptWeight } = CHAIN_DEFAULTS;
  const u = keys.rows;
  const system = multiplyNt(keys, keys);
  const wanted = rows.map(({ kind }): number => kind === "fact" || kind === "head" ? 1 : 0);
  const kept = wanted.filter((value) => value === 0).length;
  const square = wanted.reduce((sum, value, row) => sum + (value === 0 ? system.data[row * u + row]! : 0), 0);
  const a = ISOTROPIC * square / (kept * keys.cols);
  wanted.forEach((value, row) => system.data[row * u + row]! += value === 1 ? ridge * a : a * kept / keptWeight);
  const missing = leftOutResiduals(system, matrix(u, 1, wanted), rows.map(({ group }) => group)).data;
  const kinds: readonly TrialRow["kind"][] = ["head", "neighbour", "other fact"];
  return kinds.reduce((total, wantedKind) => {
    const squares = rows.flatMap(({ kind }, row) => kind === wantedKind ? [missing[row]! ** 2] : []);
    return total + squares.reduce((sum, value) => sum + value, 0) / Math.max(1, squares.length);
  }, 0);
}
