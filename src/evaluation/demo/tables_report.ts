/**
 * The demo's tables, for the terminal and for the report.
 *
 * @module
 */
import type { Cell, CellTone, Table } from "../../display/table.ts";
import type { PromptState } from "./answers.ts";
import type { DemoPrompt } from "./setup.ts";
import type { AskedPrompt } from "./story.ts";
import { type GroupTally, tallyGroups } from "./tally.ts";

/**
 * Lists answers of the unedited model, one prompt a group.
 *
 * @param prompts Prompts.
 * @param states What the model says to them.
 * @returns A row a group.
 */
export function answersTable(prompts: readonly DemoPrompt[], states: readonly PromptState[]): Table {
  const first = new Map<string, number>();
  prompts.forEach(({ group }, i) => first.has(group) || first.set(group, i));
  return {
    columns: [{ header: "prompt", maxWidth: 90 }, { header: "answer" }, { header: "probability", align: "right" }],
    rows: [...first.values()].map((i) => [
      prompts[i]!.prompt,
      { text: states[i]!.answer, tone: "strong" },
      states[i]!.old.toFixed(3),
    ]),
  };
}

/**
 * Counts what followed the edit and what stayed, with an example of each kind.
 *
 * @param asked Prompts before and after.
 * @returns A row a group.
 */
export function groupsTable(asked: readonly AskedPrompt[]): Table {
  return {
    columns: [
      { header: "kind" },
      { header: "wanted" },
      { header: "as wanted", align: "right" },
      { header: "example", maxWidth: 72 },
      { header: "before" },
      { header: "after" },
    ],
    rows: tallyGroups(asked).map((tally): Cell[] => {
      const { group, wanted, example } = tally;
      return [
        group,
        { text: wanted === "new" ? "changed" : "kept", tone: "muted" },
        { text: `${tally.right} of ${tally.total}`, tone: tallyTone(tally) },
        example.prompt,
        spoken(example, example.before),
        { text: spoken(example, example.after), tone: example.after.answer === example[wanted] ? "good" : "bad" },
      ];
    }),
  };
}

/**
 * Lists every prompt with its answers.
 *
 * @param asked Prompts before and after.
 * @returns A row a prompt.
 */
export function promptsTable(asked: readonly AskedPrompt[]): Table {
  return {
    columns: ["kind", "prompt", "before", "after", "as wanted"].map((header) => ({ header })),
    rows: asked.map((prompt): Cell[] => {
      const right = prompt.after.answer === prompt[prompt.wanted];
      return [
        { text: prompt.group, tone: "muted" },
        prompt.prompt,
        spoken(prompt, prompt.before),
        spoken(prompt, prompt.after),
        right ? { text: "yes", tone: "good" } : { text: "no", tone: "bad" },
      ];
    }),
  };
}

/** An answer with its probability, where it is one of the two that were scored. */
function spoken(prompt: DemoPrompt, { answer, ...probabilities }: PromptState): string {
  const side = answer === prompt.old ? "old" : answer === prompt.new ? "new" : undefined;
  return side === undefined ? answer : `${answer} (${probabilities[side].toFixed(2)})`;
}

/** The same bar for all groups: nine of ten. */
function tallyTone({ right, total }: GroupTally): CellTone {
  return right >= 0.9 * total ? "good" : "bad";
}
