/**
 * Golden checks of target searches: every evaluation, every vector, every gradient.
 *
 * @module
 */
import type { SearchStep } from "../../editing/search_log.ts";
import type { SearchResult, SearchRow, SearchSite } from "../../editing/target_search.ts";
import { type Check, checkAbsolute, checkSame } from "./checks.ts";
import type { GoldenSearch, GoldenStep } from "./editing_case.ts";
import {
  checkFrobenius,
  EDITED_TOLERANCE,
  LOSS_TOLERANCE,
  transposed,
  UNEDITED_TOLERANCE,
} from "./editing_tolerances.ts";
import type { GoldenTensors } from "./golden_tensors.ts";

/** A search beside its golden. */
export interface ComparedSearch {
  /** Name in messages and of its tensors: `search.0`, `edit.0`. */
  name: string;
  /** What the library found, with trace. */
  found: SearchResult;
  /** What the case records. */
  golden: GoldenSearch;
  /** Searched sites in order. */
  sites: readonly SearchSite[];
  /** dModel. */
  width: number;
  /** Whether an earlier write changed the model that it ran on. */
  edited: boolean;
}

/** Compares every evaluation of a search: loss and its parts, each row, lengths of vectors, number of steps. */
export function checkSteps({ name, found, golden }: ComparedSearch): Check[] {
  const steps = golden.steps;
  return [
    checkSame(`${name} steps`, [found.steps.length], [steps.length]),
    ...steps.slice(0, found.steps.length).flatMap((want, i) => checkStep(`${name} step ${i}`, found.steps[i]!, want)),
  ];
}

function checkStep(name: string, got: SearchStep, want: GoldenStep): Check[] {
  const loss = (part: string, found: number, wanted: number | undefined): Check[] =>
    wanted === undefined ? [] : [checkAbsolute(`${name} ${part}`, [found], [wanted], LOSS_TOLERANCE)];
  const norms = [want.norm_delta_attn, want.norm_delta_mlp].filter((norm) => norm !== undefined);
  const met = want.all_argmax ?? sameProbability(want);
  return [
    // The published code logs the likelihood with PMET's factor, which is 1 in the other methods.
    ...loss("nll", got.factor * got.nll, want.nll),
    ...loss("kl", got.kl, want.kl),
    ...loss("wd", got.wd, want.wd),
    ...loss("loss", got.loss, want.loss),
    checkAbsolute(`${name} nll of rows`, got.nllEach, want.nll_each, LOSS_TOLERANCE),
    checkFrobenius(`${name} lengths`, got.norms, want.norm_delta ?? norms, EDITED_TOLERANCE),
    ...(want.nll_factor === undefined ? [] : [checkAbsolute(`${name} factor`, [got.factor], [want.nll_factor], 1e-6)]),
    ...(met === undefined ? [] : [checkSame(`${name} labels met`, [got.met], [met])]),
  ];
}

/** The published code tells that all labels are met by the mean probability of labels equalling that of the likeliest. */
function sameProbability(want: GoldenStep): boolean | undefined {
  return typeof want["prob"] === "number" ? want["prob"] === want["max_prob"] : undefined;
}

/** Compares v0, the vectors of all evaluations, their gradients and v* of a search with one vector a site. */
export async function checkVectors(search: ComparedSearch, tensors: GoldenTensors): Promise<Check[]> {
  const { name, found, sites, width, edited } = search;
  const checks: Check[] = [];
  for (const [s, site] of sites.entries()) {
    const prefix = site === "block" ? name : `${name}.${site}`;
    const before = found.before[site]!.subarray(0, width);
    const delta = found.delta[site]!;
    const trace = (values: Float32Array, rows: number): Float32Array =>
      stacked(values, rows, sites.length * width, s * width, width);
    const steps = found.steps.length;
    const star = Float64Array.from(before, (value, k) => value + delta[k]!);
    const compare = async (what: string, got: ArrayLike<number>, tolerance: number): Promise<void> => {
      checks.push(checkFrobenius(`${prefix} ${what}`, got, await tensors.values(`${prefix}.${what}`), tolerance));
    };
    await compare("v0", before, edited ? EDITED_TOLERANCE : UNEDITED_TOLERANCE);
    await compare("delta", trace(found.trajectory!, steps), EDITED_TOLERANCE);
    if (tensors.has(`${prefix}.grad`)) await compare("grad", trace(found.gradients!, steps - 1), EDITED_TOLERANCE);
    await compare("vstar", star, EDITED_TOLERANCE);
    checks.push(checkSame(`${prefix} last delta`, [...delta], [...trace(found.trajectory!, steps).slice(-width)]));
  }
  return checks;
}

/** Compares v0, vectors of all evaluations and targets of a chain search: a vector a target position, a column an edit. */
export async function checkColumns(search: ComparedSearch, tensors: GoldenTensors): Promise<Check[]> {
  const { name, found, width, edited } = search;
  const before = found.before.mlp!;
  const delta = found.delta.mlp!;
  const columns = before.length / width;
  const wanted = Float64Array.from(before, (value, i) => value + delta[i % delta.length]!);
  const golden = async (what: string): Promise<Float64Array> => await tensors.values(`${name}.${what}`);
  const trace = found.trajectory!.subarray(0, found.steps.length * delta.length);
  return [
    checkFrobenius(
      `${name} v0`,
      transposed(before, columns, width),
      await golden("v0"),
      edited ? EDITED_TOLERANCE : UNEDITED_TOLERANCE,
    ),
    checkFrobenius(`${name} delta`, trace, await golden("delta"), EDITED_TOLERANCE),
    checkFrobenius(`${name} vstar`, transposed(wanted, columns, width), await golden("vstar"), EDITED_TOLERANCE),
  ];
}

/** Compares the tokens, edited positions and labels of a search with the recorded ones. */
export function checkRows(name: string, rows: readonly SearchRow[], golden: GoldenSearch): Check[] {
  const wanted = golden.rows ?? [];
  const labels = golden.label_positions ?? [];
  return [
    checkSame(`${name} tokens`, rows.map((row) => row.ids.join()), wanted.map((row) => row.ids.join())),
    checkSame(
      `${name} edited positions`,
      rows.map((row) => row.edits[0]!.position),
      wanted.map((row) => row.edit_index),
    ),
    checkSame(
      `${name} label positions`,
      rows.slice(0, labels.length).map((row) => row.labels.map((label) => label.position).join()),
      labels.map((positions) => positions.join()),
    ),
    checkSame(`${name} target`, rows[0]!.labels.map((label) => label.token), golden.target_ids ?? []),
  ];
}

/** Takes `width` values from `offset` on of each of the first `rows` rows of `stride` values. */
function stacked(values: Float32Array, rows: number, stride: number, offset: number, width: number): Float32Array {
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = row * stride + offset;
    out.set(values.subarray(from, from + width), row * width);
  }
  return out;
}
