/**
 * The demo as a page.
 *
 * @module
 */
import { type AnswerPrompt, answersFigure } from "../../display/answers_figure.ts";
import { contributionFigure } from "../../display/contribution_figure.ts";
import { formatDuration } from "../../display/duration.ts";
import { NEURON_NAMES, neuronFigure } from "../../display/neuron_figure.ts";
import { planFigure } from "../../display/plan_figure.ts";
import type { Highlight, Report, ReportSection } from "../../display/report.ts";
import { searchFigure } from "../../display/search_figure.ts";
import { CHAIN_DEFAULTS } from "../../editing/defaults.ts";
import type { Support } from "../../editing/support.ts";
import { attributionTables, contrastNeuronData, contributionData, neuronData } from "../attribution_report.ts";
import { planData } from "../plan_report.ts";
import type { AskedPrompt, DemoStory, Recall } from "./story.ts";
import { groupsTable, promptsTable } from "./tables_report.ts";
import { tallyGroups } from "./tally.ts";

/** Prompts of a group in the figure; the table has them all. */
const DRAWN = 2;

/** Rows of the neuron tables. */
const NEURONS = 20;

/**
 * Writes the demo's report.
 *
 * @param story What the demo found.
 * @returns Report with the answers, the recall, the plan and the search; `renderReport` makes a page of it.
 */
export function demoReport(story: DemoStory): Report {
  const { setup: { request, oldAnswer, oneHop, twoHop }, asked, elapsedMs } = story;
  const two = asked.find(({ prompt }) => prompt === twoHop)!;
  return {
    title: `${request.subject}: ${oldAnswer} \u2192 ${request.target}`,
    intro: `The model answered **${twoHop}** with *${two.before.answer}*. After one fact was edited, **${oneHop}** ` +
      `*${request.target}*, it answers *${two.after.answer}*; no prompt that the plan or the edit was made from names the ` +
      "head of this chain or a neighbour below.",
    highlights: [...tallyHighlights(asked), { label: "Time", value: formatDuration(elapsedMs), note: "whole job" }],
    sections: [
      {
        title: "Before and after",
        figures: [(width) => answersFigure({ prompts: drawnPrompts(asked) }, { width })],
        tables: [groupsTable(asked)],
      },
      ...story.recalls.map((recall, hop) => recallSection(recall, hop)),
      planSection(story),
      { title: "Every prompt", tables: [promptsTable(asked)] },
    ],
  };
}

function tallyHighlights(asked: readonly AskedPrompt[]): Highlight[] {
  return tallyGroups(asked).filter(({ group }) => group !== "Paraphrase" && group !== "Same subject").map((tally) => ({
    label: tally.group,
    value: `${tally.right} of ${tally.total}`,
    note: tally.wanted === "new" ? "give the new answer" : "keep their answer",
  }));
}

function drawnPrompts(asked: readonly AskedPrompt[]): AnswerPrompt[] {
  return [...Map.groupBy(asked, ({ group }) => group).values()].flatMap((group) => group.slice(0, DRAWN));
}

function recallSection({ prompt, target, attribution }: Recall, hop: number): ReportSection {
  const raising = neuronData(attribution);
  const telling = contrastNeuronData(attribution);
  return {
    title: hop === 0 ? "Where the fact is recalled" : "Where it is recalled over two hops",
    markdown: `Scores of **${prompt}** for *${target.trim()}*. The contrast compares with the other answers of the ` +
      `relation, so that it shows what tells this fact from the others. ${NEURON_NAMES}`,
    figures: [
      (width) => contributionFigure(contributionData(attribution), { width }),
      (width) => neuronFigure(telling, { width }),
      (width) => neuronFigure(raising, { width }),
    ],
    tables: attributionTables(attribution, NEURONS),
  };
}

function planSection({ model, planned, record, norms, setup }: DemoStory): ReportSection {
  const { plan } = planned;
  const support = record.support as readonly Support[];
  const prompts = (kind: "oneHop" | "twoHop" | "preserve"): string =>
    String(support.reduce((sum, part) => sum + part[kind].length, 0));
  const written = norms.map(({ layer, relative }) => `layer ${layer} by ${(100 * relative).toFixed(1)} % of its norm`);
  return {
    title: "How it was edited",
    markdown: plan.reasons.map((reason) => `- ${reason}`).join("\n"),
    facts: {
      Model: `${model}: ${record.model}`,
      Method: "ACE, chain mode",
      Request: `${setup.request.prompt}, ${setup.request.subject}: ${setup.request.target}`,
      "Held out": setup.exclude.join(", "),
      Support: `${prompts("oneHop")} one-hop and ${prompts("twoHop")} two-hop prompts`,
      Preserved: `${prompts("preserve")} prompts`,
      Changed: written.join(", "),
      Seed: String(record.seed),
    },
    figures: [
      (width) => planFigure(planData(plan), { width }),
      (width) =>
        searchFigure({
          searches: record.searches.map(({ nll }) => ({ name: `Layer ${plan.chain.layers.at(-1)}`, nll: [...nll] })),
          stop: CHAIN_DEFAULTS.stop,
        }, { width }),
    ],
  };
}
