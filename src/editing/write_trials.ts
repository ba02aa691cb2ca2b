/**
 * Which facts a trial of layers writes, and with which prompts: none of them names what is set aside.
 *
 * @module
 */
import { ALWAYS_IN, LEAST_GROUPS } from "../linalg/left_out.ts";
import { SeededRandom } from "../linalg/seeded_random.ts";
import type { Fact, Facts } from "./facts.ts";
import type { Answerer } from "./prompt_forms.ts";
import { headsOfPrompts, type KeptPrompt, selectSupport, type Support } from "./support.ts";

/** One prompt of a trial. */
export interface TrialPrompt {
  /** The prompt. */
  prompt: string;
  /** Whether a write shall reach it, as prompts of the fact and chains through its heads, or leave it. */
  kind: "fact" | "head" | KeptPrompt["kind"];
  /** Prompts that are left out together; `ALWAYS_IN` for those that never are. */
  group: number;
}

/** A fact to write, with all that an edit of it would learn from and keep. */
export interface WriteTrial {
  /** The fact. */
  fact: Fact;
  /** Its prompts. */
  prompts: TrialPrompt[];
}

/** Facts that are tried. */
const FACTS = 8;

/** Heads that lead to a fact, of which one after the other is left out. */
const HEADS = 6;

/** Neighbours, with chains through them and other facts about them, that must not change. */
const NEIGHBOURS = 15;

/** Neighbours below which leaving them out tells little. */
const LEAST_NEIGHBOURS = 5;

/** Takes heads without asking the model for each, which would take longer than all the rest: only listed ones are used. */
const TRUSTING: Answerer = { given: (prompts) => Promise.resolve(prompts.map(() => true)) };

/**
 * Draws the facts that are tried, from the relations in turn, each with the prompts that an edit of it would use.
 *
 * @param facts Facts to draw from.
 * @param options Subjects set aside to judge an edit by, which no prompt names, and the seed.
 * @returns At most 8 trials; none if no fact has enough heads and neighbours.
 */
export async function* writeTrials(
  facts: Facts,
  { exclude, seed }: { exclude: readonly string[]; seed: number },
): AsyncGenerator<WriteTrial, void> {
  let tried = 0;
  for (const fact of candidates(facts, new Set(exclude), seed)) {
    if (tried === FACTS) return;
    const relation = facts.relation(fact.relation);
    const request = { prompt: relation.cloze[0]!, subject: fact.subject, target: fact.object };
    const support = await selectSupport(facts, request, {
      answerer: TRUSTING,
      exclude,
      seed,
      heads: HEADS,
      siblings: NEIGHBOURS,
      others: NEIGHBOURS,
    });
    if (support.used.siblings.length < LEAST_NEIGHBOURS) continue;
    tried++;
    yield { fact, prompts: promptsOf(support, (head) => facts.listsChain(head, fact.relation)) };
  }
}

/** Facts with enough heads whose chains are listed, one of each relation after the other. */
function candidates(facts: Facts, aside: ReadonlySet<string>, seed: number): Fact[] {
  // Where the file lists chains, as those that a model answers, only their relations are tried.
  const listed = new Set(facts.chains.map(({ relations }) => relations[1]));
  const names = [...facts.relations.keys()].filter((name) => listed.size === 0 || listed.has(name));
  const byRelation = names.map((name) => {
    const led = facts.factsOf(name).filter(({ subject }) =>
      !aside.has(subject) &&
      facts.headsOf(subject).filter((head) => !aside.has(head.subject) && facts.listsChain(head, name)).length >=
        LEAST_GROUPS
    );
    return new SeededRandom(seed, "write profile", name).shuffle(led);
  });
  const longest = Math.max(0, ...byRelation.map((list) => list.length));
  return Array.from({ length: longest }, (_, round) => byRelation.flatMap((list) => list.slice(round, round + 1)))
    .flat();
}

/** A head is left out with all its prompts, and so is a kept subject. */
function promptsOf(support: Support, listed: (head: Fact) => boolean): TrialPrompt[] {
  const { oneHop, twoHop, preserve, used: { heads } } = support;
  const headOf = headsOfPrompts(support);
  const subjects = [...new Set(preserve.map(({ subject }) => subject))];
  return [
    ...oneHop.map((prompt): TrialPrompt => ({ prompt, kind: "fact", group: ALWAYS_IN })),
    ...twoHop.map((prompt, i): TrialPrompt => ({ prompt, kind: "head", group: headOf[i]! }))
      .filter(({ group }) => listed(heads[group]!)),
    ...preserve.map(({ prompt, kind, subject }): TrialPrompt => ({
      prompt,
      kind,
      group: kind === "same subject" ? ALWAYS_IN : heads.length + subjects.indexOf(subject),
    })),
  ];
}
