/**
 * Golden checks of value scores, bounds, rankings, lens, contrast, projections and interventions.
 *
 * @module
 */
import { contrastScores } from "../../attribution/contrast.ts";
import { type Prediction, predictUnder, zeroAttnNeurons, zeroFfnNeurons } from "../../attribution/interventions.ts";
import { lensLogProbs, logitLens } from "../../attribution/lens.ts";
import {
  attnNeuronBounds,
  attnNeuronScores,
  ffnNeuronBounds,
  ffnNeuronScores,
  rankAttnNeurons,
  rankFfnNeurons,
} from "../../attribution/neuron_scores.ts";
import { projectNeurons } from "../../attribution/projection.ts";
import type { ScoredPrompt } from "../../attribution/scored_prompt.ts";
import {
  headBounds,
  headPositionBounds,
  headPositionScores,
  headScores,
  layerBounds,
  layerScores,
} from "../../attribution/scores.ts";
import type { AttributionPrompt } from "./attribution_case.ts";
import { attnName, attnOf, ffnName, ffnOf } from "./attribution_names.ts";
import { type Check, checkAbsolute, checkRanking, checkSame, largestAbsolute } from "./checks.ts";
import { LOGIT_TOLERANCE } from "./forward_checks.ts";
import type { GoldenTensors } from "./golden_tensors.ts";

/** Largest error of a score, bound or projection in f32 on a GPU. */
export const SCORE_TOLERANCE = 1e-4;

/**
 * By how much rounding may lift a score above its bound, relative to bounds above 1 and to the largest logit: a score is
 * the difference of two log-probabilities, each of them that of a logit and a log-sum-exp, and a bound is one product.
 */
const BOUND_ROUNDING = 8 * 2 ** -23;

/** Compares scores and bounds of layers, heads, head positions and all neurons. */
export async function checkScores(prompt: ScoredPrompt, at: string, golden: GoldenTensors): Promise<Check[]> {
  const [scores, bounds] = [layerScores(prompt), layerBounds(prompt)];
  const pairs: Record<string, [ArrayLike<number>, ArrayLike<number>]> = {
    attn_layer: [scores.attn, bounds.attn],
    ffn_layer: [scores.ffn, bounds.ffn],
    head: [await headScores(prompt), headBounds(prompt)],
    head_pos: [await headPositionScores(prompt), headPositionBounds(prompt)],
    ffn_neuron: [await ffnNeuronScores(prompt), ffnNeuronBounds(prompt)],
    attn_neuron: [await attnNeuronScores(prompt), attnNeuronBounds(prompt)],
  };
  const logits = (await golden.values(`${at}.logits`)).subarray(-prompt.model.config.vocab);
  const rounding = BOUND_ROUNDING * Math.max(1, largestAbsolute(logits));
  const checks: Check[] = [];
  for (const [name, [score, bound]] of Object.entries(pairs)) {
    const above = Array.from(score, (value, i) => (value - bound[i]!) / Math.max(1, Math.abs(bound[i]!)));
    checks.push(
      checkAbsolute(`${at} score.${name}`, score, await golden.values(`${at}.score.${name}`), SCORE_TOLERANCE),
      checkAbsolute(`${at} bound.${name}`, bound, await golden.values(`${at}.bound.${name}`), SCORE_TOLERANCE),
      {
        what: `${at} score.${name} above its bound`,
        error: above.reduce((worst, v) => Math.max(worst, v), 0),
        tolerance: rounding,
      },
    );
  }
  return checks;
}

/** Compares the certified rankings of neurons, and the ranking of heads. */
export async function checkTops(
  prompt: ScoredPrompt,
  at: string,
  file: AttributionPrompt,
  golden: GoldenTensors,
): Promise<Check[]> {
  const { nHeads, dMlp, dHead } = prompt.model.config;
  const { top } = file;
  const ffn = await golden.values(`${at}.score.ffn_neuron`);
  const attn = await golden.values(`${at}.score.attn_neuron`);
  const heads = await golden.values(`${at}.score.head`);
  const want = ({ list }: typeof top.head): { name: string; score: number }[] =>
    list.map(({ neuron, score }) => ({ name: neuron, score }));
  const gotFfn = await rankFfnNeurons(prompt, { top: top.ffn_neuron.list.length });
  const gotAttn = await rankAttnNeurons(prompt, { top: top.attn_neuron.list.length });
  const gotHeads = Array.from(await headScores(prompt), (score, i) => ({
    name: `${Math.floor(i / nHeads)}_${i % nHeads}`,
    score,
  })).sort((a, b) => b.score - a.score).slice(0, top.head.list.length);
  return [
    checkRanking(
      `${at} certified top ffn_neuron`,
      gotFfn.neurons.map((neuron) => ({ name: ffnName(neuron), score: neuron.score })),
      want(top.ffn_neuron),
      (name) => ffn[ffnOf(name).layer * dMlp + ffnOf(name).neuron]!,
      SCORE_TOLERANCE,
    ),
    checkRanking(
      `${at} certified top attn_neuron`,
      gotAttn.neurons.map((neuron) => ({ name: attnName(neuron), score: neuron.score })),
      want(top.attn_neuron),
      (name) => {
        const { layer, head, dim, source } = attnOf(name);
        return attn[((layer * nHeads + head) * dHead + dim) * prompt.pos + source]!;
      },
      SCORE_TOLERANCE,
    ),
    checkRanking(`${at} top head`, gotHeads, want(top.head), (name) => {
      const [layer, head] = name.split("_").map(Number) as [number, number];
      return heads[layer * nHeads + head]!;
    }, SCORE_TOLERANCE),
  ];
}

/** Compares the logit lens, full and frozen. */
export async function checkLens(
  prompt: ScoredPrompt,
  at: string,
  file: AttributionPrompt,
  golden: GoldenTensors,
): Promise<Check[]> {
  const { stream } = prompt.model.gpu;
  const rows = await logitLens(prompt, 5);
  using logProbs = lensLogProbs(prompt);
  const [all] = await stream.read(logProbs);
  const want = await golden.values(`${at}.lens.logprobs`);
  const { vocab } = prompt.model.config;
  const mids = rows.flatMap((row) => row.frozenTargetLogProbAfterAttn ?? []);
  const list = async (what: string, got: readonly number[]): Promise<Check> =>
    checkAbsolute(`${at} ${what}`, got, await golden.values(`${at}.${what}`), LOGIT_TOLERANCE);
  return [
    checkAbsolute(`${at} frozenScale`, [prompt.host.scale], [file.frozenScale], SCORE_TOLERANCE),
    checkAbsolute(`${at} targetLogProb`, [prompt.host.logProb], [file.targetLogProb], LOGIT_TOLERANCE),
    checkAbsolute(`${at} lens.logprobs`, all, want, LOGIT_TOLERANCE),
    await list("lens.target", rows.map((row) => row.targetLogProb)),
    await list("lens_frozen.target", rows.map((row) => row.frozenTargetLogProb)),
    await list("lens_frozen.target_mid", mids),
    ...file.lens.map(({ layer, top }) =>
      checkRanking(
        `${at} lens top of layer ${layer}`,
        rows[layer]!.top.map(({ id, logProb }) => ({ name: String(id), score: logProb })),
        top.map((id) => ({ name: String(id), score: want[layer * vocab + id]! })),
        (id) => want[layer * vocab + Number(id)]!,
        LOGIT_TOLERANCE,
      )
    ),
  ];
}

/** Compares contrast scores. */
export async function checkContrast(
  prompt: ScoredPrompt,
  at: string,
  alternatives: readonly number[],
  golden: GoldenTensors,
): Promise<Check[]> {
  const { layers, heads, ffnNeurons } = await contrastScores(prompt, alternatives);
  const found = { attn_layer: layers.attn, ffn_layer: layers.ffn, head: heads, ffn_neuron: ffnNeurons };
  return await Promise.all(
    Object.entries(found).map(async ([name, got]) =>
      checkAbsolute(
        `${at} contrast.${name}`,
        got,
        await golden.values(`${at}.contrast.${name}`),
        SCORE_TOLERANCE,
      )
    ),
  );
}

/** Compares the ends of the vocabulary projections of sub-values. */
export async function checkProjections(prompt: ScoredPrompt, at: string, file: AttributionPrompt): Promise<Check[]> {
  const { dMlp } = prompt.model.config;
  const checks: Check[] = [];
  for (const { kind, neuron: name, coefficient, withHeadBias, ...want } of file.projections) {
    const neuron = kind === "ffn_neuron" ? ffnOf(name) : attnOf(name);
    const found = "neuron" in neuron
      ? prompt.host.coefficients[neuron.layer * dMlp + neuron.neuron]!
      : prompt.attnCoefficient(neuron.layer, neuron.head, neuron.dim, neuron.source);
    const what = `${at} projection of ${kind} ${name}${withHeadBias ? " with head bias" : ""}`;
    checks.push(checkAbsolute(`${what}, coefficient`, [found], [coefficient], SCORE_TOLERANCE));
    const [got] = await projectNeurons(prompt, [neuron], { count: want.top.length, headBias: withHeadBias });
    for (const end of ["top", "bottom"] as const) {
      const ranked = got![end].map(({ id, value }) => ({ name: String(id), score: value }));
      // A token that is not listed has no golden value; its own must then stand the comparison with the listed place.
      const listed = new Map(want[end].map(({ id, value }) => [String(id), value]));
      const own = new Map(ranked.map(({ name, score }) => [name, score]));
      const goldens = want[end].map(({ id, value }) => ({ name: String(id), score: value }));
      const texts = got![end].flatMap(({ id, text }) => {
        const golden = want[end].find((token) => token.id === id)?.token;
        // The golden text of a broken character is a replacement character; ours shows the bytes.
        return typeof golden === "string" && !golden.includes("\ufffd") ? [[text, golden]] : [];
      });
      checks.push(
        checkRanking(`${what}, ${end}`, ranked, goldens, (id) => listed.get(id) ?? own.get(id)!, SCORE_TOLERANCE),
        checkSame(`${what}, ${end} texts`, texts.map(([text]) => text), texts.map(([, golden]) => golden)),
      );
    }
  }
  return checks;
}

/** Compares what the model predicts without some neurons; of two tokens that are equally likely, either is the likeliest. */
export async function checkInterventions(prompt: ScoredPrompt, at: string, file: AttributionPrompt): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { kind, neurons, scope, targetLogProb, argmax } of file.interventions) {
    const patch = kind === "attn_neuron"
      ? await zeroAttnNeurons(prompt, neurons.map(attnOf), scope)
      : zeroFfnNeurons(neurons.map(ffnOf), scope === "lastOnly" ? "lastOnly" : "allPositions");
    const predict = (token: number): Promise<Prediction> => predictUnder(prompt.model, file.ids, token, patch);
    const found = await predict(file.target);
    const [best, wanted] = found.argmax === argmax
      ? [found, found]
      : [await predict(found.argmax), await predict(argmax)];
    const what = `${at} without ${kind} ${neurons.join(" ")} ${scope}`;
    checks.push(
      checkAbsolute(`${what}, log-probability`, [found.logProb], [targetLogProb], LOGIT_TOLERANCE),
      checkAbsolute(`${what}, likeliest token`, [wanted.logProb], [best.logProb], LOGIT_TOLERANCE),
    );
  }
  return checks;
}
