import { loadFacts } from "../../../src/editing/facts.ts";
import type { AskedPrompt, DemoStory } from "../../../src/evaluation/demo/story.ts";
import { demoSetup } from "../../../src/evaluation/demo/setup.ts";

/** A prompt with made-up answers. */
export function askedOf(group: string, wanted: "old" | "new", before: string, after: string): AskedPrompt {
  const state = (answer: string): AskedPrompt["before"] => ({ answer, old: 0.25, new: 0.75 });
  return {
    group,
    wanted,
    prompt: `${group}?`,
    old: "Paris",
    new: "Berlin",
    before: state(before),
    after: state(after),
  };
}

const SCORES = { attn: [0.5, 1.5, -0.25], ffn: [0.25, -0.5, 2.5] };

const TARGET = { id: 7, text: " Paris", logProb: -0.1, requested: " Paris", tokens: 1 };

/** A story over three layers; all answers are as wanted but those of one neighbour. */
export async function madeUpStory(): Promise<DemoStory> {
  const facts = await loadFacts("fixtures/world/world.json");
  const request = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };
  const setup = demoSetup(facts, request, "Noyon", 0);
  const lost = setup.prompts.findLastIndex(({ group }) => group === "Neighbours");
  const score = { score: 0.5, bound: 0.6, coefficient: 1, tokens: [" Paris", " France"] };
  const recall = (prompt: string): DemoStory["recalls"][number] => ({
    prompt,
    target: " Paris",
    attribution: {
      prompt,
      position: 4,
      target: TARGET,
      layers: SCORES,
      heads: [[0], [0], [0]],
      neurons: [{ layer: 2, neuron: 13, ...score }],
      attnNeurons: [{ layer: 1, head: 1, dim: 5, source: 3, ...score, score: 0.75 }],
      contrast: {
        alternatives: [{ id: 8, text: " Rome" }],
        layers: { attn: SCORES.ffn, ffn: SCORES.attn },
        heads: [[0], [0], [0]],
        neurons: [{ layer: 0, neuron: 21, score: 0.125, coefficient: -1, tokens: [" Lyon"] }],
      },
      evaluated: { ffn: 3, attn: 2 },
      candidates: { ffn: 30, attn: 20 },
      certified: true,
      notes: [],
    },
  });
  return {
    model: "world-made-up",
    setup,
    recalls: [recall(setup.oneHop), recall(setup.twoHop)],
    planned: {
      plan: {
        chain: { layers: [2], token: "last" },
        value: { layers: [1, 2], token: "last" },
        query: { layers: [0], token: "subject_last" },
        subjectLast: { layers: [0, 1], token: "subject_last" },
        scoring: "published",
        scores: { value: SCORES, contrast: SCORES, query: [3, 2, 1] },
        profile: { layer: 2, arrival: 1, error: [0.875, 0.5, 0.125], leak: [0, 0.25, 0.0625], facts: 8 },
        probes: [],
        reasons: ["Chain mode edits layer 2: because of this", "Query layer 0: because of that"],
      },
      oldAnswer: "Paris",
      alternatives: 35,
    },
    record: {
      method: "ace",
      mode: "chain",
      modelHash: "hash",
      model: "made up, 3 layers",
      requests: [request],
      seed: 0,
      plan: null,
      hyperparameters: {},
      contexts: [],
      support: [{ oneHop: ["a", "b"], twoHop: ["c", "d", "e"], preserve: ["f"] }],
      searches: [{ evaluations: 4, firstNll: 8, lastNll: 0.25, nll: [8, 4, 1, 0.25] }],
      warnings: [],
    },
    norms: [{ layer: 2, change: 3, relative: 0.5 }],
    asked: setup.prompts.map((prompt, i) => {
      const answer = prompt.wanted === "new" || i === lost ? prompt.new : prompt.old;
      const after = answer === prompt.old ? { old: 0.8, new: 0.1 } : { old: 0.1, new: 0.75 };
      return { ...prompt, before: { answer: prompt.old, old: 0.9, new: 0.05 }, after: { answer, ...after } };
    }),
    elapsedMs: 12_300,
  };
}
