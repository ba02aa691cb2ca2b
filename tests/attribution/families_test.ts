import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { predictUnder, zeroFfnNeurons } from "../../src/attribution/interventions.ts";
import {
  attnNeuronScores,
  ffnNeuronScores,
  rankAttnNeurons,
  rankFfnNeurons,
} from "../../src/attribution/neuron_scores.ts";
import { queryFfnNeurons, queryLayersOfAttn, queryLayersOfFfn } from "../../src/attribution/query_scores.ts";
import { ScoredPrompt } from "../../src/attribution/scored_prompt.ts";
import { layerScores } from "../../src/attribution/scores.ts";
import { largestAbsolute, largestError } from "../../src/evaluation/conformance/checks.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { FAMILY_CASES, familyFolder, loadFamily } from "../model/family_models.ts";
import { runTwin } from "../reference/sequential_model.ts";
import { logSoftmaxRow } from "../reference/softmax.ts";
import { queryTwin, scoreTwin, sharesTwin, type TwinNeuron } from "../reference/value_scores.ts";
import { storedModel } from "./stored_model.ts";

const gpu = await Gpu.open();
const ROUNDING = 2 ** -24;

/** The twin of a small model, proved by the logits that transformers gives it, and what it scores for a part of their prompt. */
async function twinOf(name: string) {
  const stored = await storedModel(name);
  const file = JSON.parse(await Deno.readTextFile(`${familyFolder(name)}/case.json`));
  const { logits } = runTwin(stored, file.ids);
  // Transformers multiplies in float32.
  const rounding = 2 * stored.lnFinal.weight.length * ROUNDING;
  assert(largestError(logits, file.logits) <= rounding * largestAbsolute(logits));
  const ids: number[] = file.ids.slice(0, 9);
  const target: number = file.target;
  return { stored, ids, target, want: scoreTwin(stored, ids, target) };
}

/** A neuron of the twin as the library names it. */
function named({ layer, column, source, score }: TwinNeuron, dHead: number) {
  return { layer, neuron: column, head: Math.floor(column / dHead), dim: column % dHead, source, score };
}

/** Whether two names mean the same neuron, by the parts that both have. */
function isSame(a: Record<string, number>, b: object): boolean {
  const parts = ["layer", "neuron", "head", "dim", "source"] as const;
  return parts.every((part) => !(part in b) || a[part] === b[part as keyof typeof b]);
}

// The models that have no attribution golden; their scores are held against whole float64 passes over the stored weights.
for (const name of FAMILY_CASES) {
  Deno.test(`scores of layers and neurons in ${name} are those of float64 passes over the stored weights`, async () => {
    const { stored, ids, target, want } = await twinOf(name);
    const { dHead } = stored;
    using model = await loadFamily(gpu, name);
    using prompt = await ScoredPrompt.open(model, ids, target);
    // Scores are differences of log-probabilities, each the rounded end of a float32 pass.
    const tolerance = 16 * ROUNDING * Math.abs(prompt.host.logProb);
    const scores = layerScores(prompt);
    assert(largestError(scores.attn, want.layers.attn) <= tolerance);
    assert(largestError(scores.ffn, want.layers.ffn) <= tolerance);

    const kinds = [
      { all: await ffnNeuronScores(prompt), ranked: await rankFfnNeurons(prompt, { top: 12 }), twins: want.ffn },
      { all: await attnNeuronScores(prompt), ranked: await rankAttnNeurons(prompt, { top: 12 }), twins: want.attn },
    ];
    for (const { all, ranked, twins } of kinds) {
      assert(largestError(all, twins.map(({ score }) => score)) <= tolerance);
      const best = twins.toSorted((a, b) => b.score - a.score);
      assertEquals([ranked.certified, ranked.candidates], [true, twins.length]);
      ranked.neurons.forEach((found, i) => {
        const twin = twins.find((one) => isSame(named(one, dHead), found))!;
        // The ranking may differ from brute force only where scores are as good as equal.
        assertAlmostEquals(found.score, twin.score, tolerance);
        assertAlmostEquals(found.score, best[i]!.score, tolerance);
      });
    }
  });

  Deno.test(`query scores in ${name} are those of float64 passes over the stored weights`, async () => {
    const { stored, ids, target, want } = await twinOf(name);
    using model = await loadFamily(gpu, name);
    using prompt = await ScoredPrompt.open(model, ids, target);
    const products = 2 * model.config.dModel * ROUNDING;
    const best = (twins: readonly TwinNeuron[]): TwinNeuron[] =>
      twins.filter(({ layer }) => layer === 1).toSorted((a, b) => b.score - a.score).slice(0, 6);
    const [ffn, attn] = [best(want.ffn), best(want.attn)];
    const asNamed = (twins: readonly TwinNeuron[]) => twins.map((twin) => named(twin, model.config.dHead));
    const shares = [
      { twins: ffn, found: await queryLayersOfFfn(prompt, asNamed(ffn)), kind: "ffn" },
      { twins: attn, found: await queryLayersOfAttn(prompt, asNamed(attn)), kind: "attn" },
    ] as const;
    for (const { twins, found, kind } of shares) {
      twins.forEach((twin, n) => {
        // A share is a quotient of rounded products, whose sum may all but cancel.
        const tolerance = 2 * products * found.conditioning[n]! ** 2 * Math.abs(twin.score);
        assert(largestError(found.shares[n]!, sharesTwin(want, twin, kind)) <= tolerance, `${kind} ${n}`);
      });
    }
    const query = await queryFfnNeurons(prompt, asNamed(attn));
    const tolerance = attn.reduce((all, { score }, n) => all + products * query.conditioning[n]! ** 2 * score, 0);
    assert(largestError(query.scores, queryTwin(stored, want, attn)) <= 2 * tolerance);
  });

  Deno.test(`zeroFfnNeurons() in ${name} is what a float64 pass without the neuron gives`, async () => {
    const { stored, ids, target } = await twinOf(name);
    using model = await loadFamily(gpu, name);
    const zeroed = [{ layer: 0, neuron: 3 }, { layer: 0, neuron: 40 }, { layer: 1, neuron: 7 }];
    const logProb = (without: typeof zeroed): number => logSoftmaxRow(runTwin(stored, ids, without).logits)[target]!;
    const tolerance = 16 * ROUNDING * Math.abs(logProb([]));
    const found = await predictUnder(model, ids, target, zeroFfnNeurons(zeroed));
    assertAlmostEquals(found.logProb, logProb(zeroed), tolerance);
    assert(Math.abs(logProb(zeroed) - logProb([])) > 100 * tolerance);
  });
}

Deno.test("scores of families leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
