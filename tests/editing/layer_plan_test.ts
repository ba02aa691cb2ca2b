import { assertEquals } from "@std/assert";
import type { LayerScores } from "../../src/attribution/layer_scores.ts";
import { planLayers, type Prober } from "../../src/editing/layer_plan.ts";

const NONE = new Array<number>(6).fill(0);
const SCORES: LayerScores = {
  value: { attn: NONE, ffn: [0.1, 0.2, 0.3, 2, 0.5, 1] },
  contrast: { attn: NONE, ffn: [0, 0.1, 0.2, 0.3, 4, 0.4] },
  query: [0.5, 0.9, 0.7, 0.1, 3, 0.2],
};

/** A prober that halves the loss up to a layer, and the layers that it was asked for. */
function probing(deepest: number): { prober: Prober; asked: number[] } {
  const asked: number[] = [];
  const prober: Prober = (layer, token) => {
    asked.push(layer);
    return Promise.resolve({ layer, token, before: 8, after: layer <= deepest ? 2 : 7 });
  };
  return { prober, asked };
}

Deno.test("planLayers() gives each stage the layers with the best scores of its kind", async () => {
  const plan = await planLayers(SCORES, probing(5).prober);
  assertEquals(plan.chain, { layers: [4], token: "last" });
  assertEquals(plan.value.layers, [3, 5]);
  assertEquals(plan.query.layers, [1, 2]);
  assertEquals(plan.subjectLast, { layers: [3, 4, 5], token: "subject_last" });
  assertEquals(plan.scoring, "published");
});

Deno.test("planLayers() chooses value layers by contrast if asked to", async () => {
  const plan = await planLayers(SCORES, probing(5).prober, { scoring: "contrast" });
  assertEquals([plan.value.layers, plan.query.layers], [[4, 5], [1, 2]]);
});

Deno.test("planLayers() takes the layer whose writes carry over best where that was tried", async () => {
  const profile = { layer: 1, arrival: 1, error: [0.9, 0.125, 0.5, 0.5, 0.5, 0.5], leak: NONE, facts: 12 };
  const plan = await planLayers(SCORES, probing(5).prober, { profile });
  assertEquals([plan.chain.layers, plan.profile], [[1], profile]);
  assertEquals(
    plan.reasons[0],
    "Chain mode edits FFN layer 1 (0.13): the best of a trial over 12 facts from layer 1 on, by the error on heads and neighbours left out of a write",
  );
  const untried = await planLayers(SCORES, probing(5).prober, {
    profile: { layer: -1, arrival: 0, error: NONE, leak: NONE, facts: 0 },
  });
  assertEquals([untried.chain.layers, untried.profile], [[4], undefined]);
  assertEquals(untried.reasons[0], "Chain mode edits FFN layer 4 (4.00): the largest contrast with other objects");
});

Deno.test("planLayers() says so where the layer that it takes is not the one of the least error", async () => {
  // Layer 0 is out of the choice: the subject has not arrived there.
  const profile = { layer: 3, arrival: 1, error: [0.01, 0.5, 0.25, 0.3125, 0.5, 0.5], leak: NONE, facts: 8 };
  const { chain, reasons } = await planLayers(SCORES, probing(5).prober, { profile });
  assertEquals(chain.layers, [3]);
  assertEquals(
    reasons[0],
    "Chain mode edits FFN layer 3 (0.31): the best of a trial over 8 facts from layer 1 on, by the error on heads and neighbours left out of a write; " +
      "layer 2 (0.25) is no more than one standard error better, and worse with what leaks to other facts added",
  );
});

Deno.test("planLayers() edits at the subject where a probe halves the loss, else at the last token", async () => {
  const plan = await planLayers(SCORES, probing(2).prober);
  // Probed at the deepest layer of each stage: 5 is too deep, 2 is not.
  assertEquals([plan.value.token, plan.query.token], ["last", "subject_last"]);
  assertEquals(plan.subjectLast.layers, [0, 1, 2]);
});

Deno.test("planLayers() finds the deepest layer that the subject can be edited in by halving, a probe a layer", async () => {
  const { prober, asked } = probing(3);
  const plan = await planLayers(SCORES, prober);
  // The stages ask at 5 and 2; between them 3 works and 4 does not.
  assertEquals(asked, [5, 2, 4, 3]);
  assertEquals(plan.probes.map(({ layer }) => layer), asked);
  for (let deepest = -1; deepest < 6; deepest++) {
    const { subjectLast } = await planLayers(SCORES, probing(deepest).prober, { runLength: 1 });
    assertEquals(subjectLast.layers, [Math.max(deepest, 0)]);
  }
});

Deno.test("planLayers() keeps a run of layers where no probe works, and says so", async () => {
  const plan = await planLayers(SCORES, probing(-1).prober, { runLength: 2 });
  assertEquals(plan.subjectLast.layers, [0, 1]);
  assertEquals(plan.reasons.at(-1), "PMET and MEMIT edit layers 0, 1: a subject-last probe halves the loss nowhere");
});

Deno.test("planLayers() leaves the query stage empty where nothing lies below the value layers", async () => {
  const first: LayerScores = { ...SCORES, value: { attn: NONE, ffn: [9, 0, 0, 0, 0, 0] } };
  const plan = await planLayers(first, probing(5).prober, { valueLayers: 1 });
  assertEquals([plan.value.layers, plan.query], [[0], { layers: [], token: "last" }]);
  assertEquals(plan.reasons[2], "No query layer: there is no layer below the value layers");
});

Deno.test("planLayers() gives a reason for every stage, with the numbers", async () => {
  const { reasons } = await planLayers(SCORES, probing(5).prober);
  assertEquals(reasons, [
    "Chain mode edits FFN layer 4 (4.00): the largest contrast with other objects",
    "Value layers 3 (2.00), 5 (1.00): the largest log-probability increase of the answer",
    "Query layers 1 (0.90), 2 (0.70): the largest query scores below the value layers",
    "The value stage edits at subject_last: a subject-last probe at layer 5 takes the loss from 8.00 to 2.00",
    "The query stage edits at subject_last: a subject-last probe at layer 2 takes the loss from 8.00 to 2.00",
    "PMET and MEMIT edit layers 3, 4, 5: layer 5 is the deepest where a subject-last probe halves the loss",
  ]);
});
