/**
 * A report with every kind of figure and table, over made-up but plausible numbers.
 *
 * @module
 */
import { type AnswerPrompt, answersFigure } from "../../src/display/answers_figure.ts";
import { contributionFigure } from "../../src/display/contribution_figure.ts";
import { lensFigure, scoreMapFigure } from "../../src/display/heat_map_figure.ts";
import { type NeuronData, neuronFigure, neuronTable } from "../../src/display/neuron_figure.ts";
import { planFigure } from "../../src/display/plan_figure.ts";
import { type Report } from "../../src/display/report.ts";
import { searchFigure } from "../../src/display/search_figure.ts";

const PROMPT = "The capital of the country where Noyon is located is";

/** Scores of eight layers. */
export const CONTRIBUTION = {
  prompt: PROMPT,
  target: " Paris",
  value: [1.7, 1.2, 0.4, 0.3, 0.5, 0.8, 1.1, 1.9].map((mlp, layer) => ({
    layer,
    attention: [0.2, -0.1, 0.9, 0.3, 1.1, 0.2, -0.3, 0.1][layer],
    mlp,
  })),
  contrast: [-0.05, 0.02, 0.1, 0.21, 0.74, 1.12, 1.5, 2.31].map((mlp, layer) => ({
    layer,
    attention: [0.01, 0.03, 0.6, 0.1, 0.8, 0.05, -0.2, 0.02][layer],
    mlp,
  })),
};

/** Stages of a plan over eight layers. */
export const PLAN = {
  stages: [
    {
      name: "Chain mode",
      score: "left-out error (lower is better)",
      scores: [0.7, 0.75, 0.15, 0.125, 0.1, 0.075, 0.05, 0.06],
      chosen: [6],
      from: { layer: 2, name: "the subject has arrived" },
    },
    {
      name: "Value layers",
      score: "contrast of the FFN output (nats)",
      scores: CONTRIBUTION.contrast.map(({ mlp }) => mlp),
      chosen: [6, 7],
      beside: { name: "Published score", scores: CONTRIBUTION.value.map(({ mlp }) => mlp) },
    },
    {
      name: "Query layers",
      score: "contrast of the FFN output (nats)",
      scores: [0.1, 0.2, 0.9, 0.8, 0.3, 0.1, 0.05, 0],
      chosen: [2, 3],
      beside: { name: "Published score", scores: [0.7, 0.5, 0.6, 0.4, 0.2, 0.1, 0.05, 0] },
    },
  ],
};

/** Twelve neurons. */
export const NEURONS: NeuronData = {
  target: " Paris",
  neurons: Array.from({ length: 12 }, (_, index) => ({
    layer: 7 - (index % 4),
    neuron: (index * 97 + 13) % 384,
    score: 0.9 / (1 + 0.35 * index),
    tokens: [" Paris", " France", " Par", " Lyon", "\n", " <b>", " Br\u00fcssel"].slice(index % 3),
    ...(index % 5 === 3 ? { kind: "attention" as const, head: index % 4 } : {}),
  })),
};

function prompt(group: string, text: string, old: string, before: number[], after: number[]): AnswerPrompt {
  return {
    group,
    prompt: text,
    old,
    new: " Berlin",
    before: { old: before[0], new: before[1] },
    after: { old: after[0], new: after[1] },
  };
}

/** Prompts of five groups. */
export const ANSWERS = {
  prompts: [
    prompt("Edited fact", "The capital of France is", " Paris", [0.99, 0], [0.01, 0.98]),
    prompt("Paraphrase", "The seat of government of France is in the city of", " Paris", [0.97, 0], [0.04, 0.93]),
    prompt("Question", "Q: What is the capital of France? A:", " Paris", [0.98, 0.001], [0.02, 0.96]),
    prompt("Two-hop", PROMPT, " Paris", [0.96, 0.002], [0.03, 0.95]),
    prompt("Two-hop", "Q: What is the capital city of the country where Mont Blanc is located? A:", " Paris", [
      0.9,
      0.01,
    ], [
      0.31,
      0.62,
    ]),
    prompt("Neighbours", "The capital of Italy is", " Rome", [0.99, 0], [0.98, 0.001]),
    prompt("Neighbours", "The capital of Spain is", " Madrid", [0.99, 0], [0.97, 0.002]),
  ],
};

const TOKENS = ["The", " capital", " of", " the", " country", " where", " No", "yon", " is", " located", " is"];

/** A lens over eight layers. */
export const LENS = {
  tokens: TOKENS,
  cells: Array.from({ length: 8 }, (_, layer) =>
    TOKENS.map((token, pos) => ({
      token: layer < 4 ? token : TOKENS[pos + 1] ?? " Paris",
      probability: ((layer + 1) / 8) ** 2 * (0.4 + 0.6 * ((pos * 7) % 5) / 4),
    }))),
};

/** Scores of four heads in eight layers. */
export const HEADS = {
  title: 'What each head adds to "Paris"',
  columns: ["0", "1", "2", "3"],
  columnName: "Head",
  scores: Array.from({ length: 8 }, (_, layer) => [0, 1, 2, 3].map((head) => Math.sin(layer * 1.3 + head * 2.1))),
};

/** Two searches. */
export const SEARCHES = {
  searches: ["Value layer 7", "Query layer 3"].map((name, search) => ({
    name,
    nll: Array.from({ length: 26 }, (_, step) => 7.2 * Math.exp(-step / (3.5 + 2 * search)) + 0.004),
  })),
  stop: 0.02,
};

/** The report. */
export const SAMPLE_REPORT: Report = {
  title: "France \u2192 Berlin: an edit and what follows from it",
  intro: `The model answered **${PROMPT}** with *Paris*. After the edit of one fact it answers *Berlin*.`,
  highlights: [
    { label: "Edited fact", value: "Paris \u2192 Berlin", note: "The capital of France is" },
    { label: "Two-hop answers", value: "12 of 12", note: "follow the edit" },
    { label: "Neighbours", value: "19 of 20", note: "keep their answer" },
    { label: "Time", value: "41 s", note: "2 cores, no GPU" },
  ],
  sections: [
    {
      title: "Before and after",
      markdown: "Held-out chains only. `support` prompts never come from a chain that is judged here.",
      figures: [(width) => answersFigure(ANSWERS, { width })],
      tables: [{
        caption: "Every prompt",
        columns: [{ header: "Kind" }, { header: "Prompt" }, { header: "Before" }, { header: "After" }, {
          header: "Result",
        }],
        rows: ANSWERS.prompts.map(({ group, prompt, old, new: wanted, after }) => [
          { text: group, tone: "muted" },
          prompt,
          old.trim(),
          (after.old > after.new ? old : wanted).trim(),
          (after.old > after.new) === (group === "Neighbours")
            ? { text: "as wanted", tone: "good" }
            : { text: "not as wanted", tone: "bad" },
        ]),
      }],
    },
    {
      title: "Where the fact is recalled",
      figures: [
        (width) => contributionFigure(CONTRIBUTION, { width }),
        (width) => neuronFigure(NEURONS, { width }),
        (width) => lensFigure(LENS, { width }),
        (width) => scoreMapFigure(HEADS, { width }),
      ],
      tables: [{ caption: "The highest neurons", ...neuronTable(NEURONS, 8) }],
    },
    {
      title: "How it was edited",
      facts: { Model: "world-qwen3, 8 layers", Method: "ACE, chain mode", Seed: "0" },
      figures: [(width) => planFigure(PLAN, { width }), (width) => searchFigure(SEARCHES, { width })],
    },
  ],
};
