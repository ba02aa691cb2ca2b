/**
 * Golden checks of query scores. The goldens start from their own lists of value neurons, and so do the checks.
 *
 * @module
 */
import {
  queryFfnNeurons,
  queryLayersOfAttn,
  queryLayersOfFfn,
  type QueryShares,
  splitQueryNeurons,
  topQueryNeurons,
} from "../../attribution/query_scores.ts";
import type { ScoredPrompt } from "../../attribution/scored_prompt.ts";
import type { SubKey } from "../../attribution/sub_keys.ts";
import type { AttributionPrompt } from "./attribution_case.ts";
import { attnOf, ffnName, ffnOf } from "./attribution_names.ts";
import { type Check, checkAbsolute, checkRanking, largestAbsolute } from "./checks.ts";
import type { GoldenTensors } from "./golden_tensors.ts";
import { SCORE_TOLERANCE } from "./score_checks.ts";

/** Compares query layers for every sub-key, of attention value neurons, and query neurons. */
export async function checkQueries(
  prompt: ScoredPrompt,
  at: string,
  file: AttributionPrompt,
  golden: GoldenTensors,
): Promise<Check[]> {
  const { query, top } = file;
  const ffn = top.ffn_neuron.list.slice(0, query.ffnNeurons)
    .map(({ neuron, score }) => ({ ...ffnOf(neuron), score }));
  const attn = top.attn_neuron.list.slice(0, query.attnNeurons)
    .map(({ neuron, score }) => ({ ...attnOf(neuron), score }));
  const checks: Check[] = [];
  for (const [subKey, want] of Object.entries(query.layersFfn) as [SubKey, typeof query.layersAttn][]) {
    const name = `query.layers_ffn.${subKey}`;
    const found = await queryLayersOfFfn(prompt, ffn, { subKey });
    checks.push(...await checkShares(at, name, found, want, golden));
    if (want.worstConditioningWithOwnAttention === undefined) continue;
    const own = await queryLayersOfFfn(prompt, ffn, { subKey, withOwnAttention: true });
    checks.push(
      checkAbsolute(
        `${at} ${name}.with_own_attention.shares`,
        own.shares.flatMap((row) => [...row]),
        await golden.values(`${at}.${name}.with_own_attention.shares`),
        SCORE_TOLERANCE * Math.max(1, want.worstConditioningWithOwnAttention),
      ),
    );
  }
  checks.push(
    ...await checkShares(at, "query.layers_attn", await queryLayersOfAttn(prompt, attn), query.layersAttn, golden),
    ...await checkQueryNeurons(prompt, at, file, golden),
  );
  return checks;
}

async function checkShares(
  at: string,
  name: string,
  found: QueryShares,
  want: { slots: readonly number[]; worstConditioning: number },
  golden: GoldenTensors,
): Promise<Check[]> {
  const tolerance = SCORE_TOLERANCE * Math.max(1, want.worstConditioning);
  const denominators = await golden.values(`${at}.${name}.denominators`);
  const shares = await golden.values(`${at}.${name}.shares`);
  return [
    checkAbsolute(`${at} ${name}.shares`, found.shares.flatMap((row) => [...row]), shares, tolerance),
    checkAbsolute(`${at} ${name} slots`, found.slots, want.slots, tolerance),
    checkAbsolute(
      `${at} ${name}.denominators`,
      found.denominators,
      denominators,
      tolerance * largestAbsolute(denominators),
    ),
    checkAbsolute(
      `${at} ${name} worst conditioning`,
      [Math.max(...found.conditioning)],
      [want.worstConditioning],
      tolerance * want.worstConditioning,
    ),
  ];
}

async function checkQueryNeurons(
  prompt: ScoredPrompt,
  at: string,
  { query, top }: AttributionPrompt,
  golden: GoldenTensors,
): Promise<Check[]> {
  const { dMlp } = prompt.model.config;
  const value = top.attn_neuron.list.slice(0, query.attnNeuronsForQueryFfn)
    .map(({ neuron, score }) => ({ ...attnOf(neuron), score }));
  const found = await queryFfnNeurons(prompt, value);
  const scores = await golden.values(`${at}.query.ffn_neurons`);
  const denominators = await golden.values(`${at}.query.ffn_neurons.denominators`);
  const tolerance = SCORE_TOLERANCE * Math.max(1, query.layersAttn.worstConditioning);
  const scoreOf = (name: string): number => scores[ffnOf(name).layer * dMlp + ffnOf(name).neuron]!;
  const { list } = query.queryFfnNeurons;
  const ranked = topQueryNeurons(prompt, found.scores, list.length);

  const names = [...query.queryAndValue, ...query.queryOnly];
  const split = splitQueryNeurons(
    topQueryNeurons(prompt, found.scores, names.length),
    top.ffn_neuron.list.map(({ neuron }) => ffnOf(neuron)),
  );
  const cut = Math.min(...names.map(scoreOf));
  /** Distance from the cut of the neurons that only one of two lists has: none but near-ties may differ. */
  const apart = (got: readonly string[], want: readonly string[]): number =>
    [...got.filter((name) => !want.includes(name)), ...want.filter((name) => !got.includes(name))]
      .reduce((worst, name) => Math.max(worst, Math.abs(scoreOf(name) - cut)), 0);
  return [
    checkAbsolute(`${at} query.ffn_neurons`, found.scores, scores, tolerance),
    checkAbsolute(
      `${at} query.ffn_neurons.denominators`,
      found.denominators,
      denominators,
      tolerance * largestAbsolute(denominators),
    ),
    checkRanking(
      `${at} top query neurons`,
      ranked.map((neuron) => ({ name: ffnName(neuron), score: neuron.score })),
      list.map(({ neuron, score }) => ({ name: neuron, score })),
      scoreOf,
      tolerance,
    ),
    {
      what: `${at} query and value neurons`,
      error: apart(split.queryAndValue.map(ffnName), query.queryAndValue),
      tolerance,
    },
    { what: `${at} query-only neurons`, error: apart(split.queryOnly.map(ffnName), query.queryOnly), tolerance },
  ];
}
