import type { AskedPrompt } from "./story.ts";

/** One kind of prompts of the demo, counted. */
export interface GroupTally {
  /** Kind of prompts. */
  readonly group: string;
  /** What is wanted of them: the new answer, or their own. */
  readonly wanted: "old" | "new";
  /** Prompts that count: all where the new answer is wanted, else those that were right before the edit. */
  readonly total: number;
  /** Prompts with the wanted answer after the edit. */
  readonly right: number;
  /** The prompt that is shown, the first of the group. */
  readonly example: AskedPrompt;
}

/**
 * Counts the demo's prompts by kind.
 *
 * @param asked Prompts before and after.
 * @returns One tally a group, in the order of the prompts.
 */
export function tallyGroups(asked: readonly AskedPrompt[]): GroupTally[] {
  return [...Map.groupBy(asked, ({ group }) => group)].map(([group, all]) => {
    const { wanted } = all[0]!;
    const counted = wanted === "new" ? all : all.filter(({ before, old }) => before.answer === old);
    const right = counted.filter((prompt) => prompt.after.answer === prompt[wanted]).length;
    return { group, wanted, total: counted.length, right, example: all[0]! };
  });
}
