/**
 * Golden checks of edits: every search step, every write, the logits before, between and after.
 *
 * @module
 */
import { dirname } from "node:path";
import { EditSession, type MomentSource, type Write } from "../../editing/session.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { loadModel } from "../../model/load_model.ts";
import type { Model } from "../../model/model.ts";
import { namedWeights } from "../../model/named_weights.ts";
import { type Check, checkAbsolute, type CheckedCase, checkSame } from "./checks.ts";
import { type EditingCase, readEditingCase } from "./editing_case.ts";
import { expectedRows, runEditingCase, searchedSites } from "./editing_run.ts";
import {
  checkFrobenius,
  EDITED_TOLERANCE,
  LOGIT_TOLERANCE,
  transposed,
  UNEDITED_TOLERANCE,
  UPDATE_TOLERANCE,
} from "./editing_tolerances.ts";
import { findTokenizer, type SkippedCase } from "./discover.ts";
import { GoldenTensors } from "./golden_tensors.ts";
import { checkColumns, checkRows, checkSteps, checkVectors, type ComparedSearch } from "./search_checks.ts";

/**
 * Computes the edit of a golden case and compares everything the golden records.
 *
 * @param dir Folder with `case.json` and `tensors.safetensors`; config, weights and `covariance.safetensors` are in its
 * parent, the tokenizer is there or further up.
 * @returns The checks, or why the case is left out.
 * @throws {FileError} If a file is missing or damaged.
 */
export async function checkEditingCase(gpu: Gpu, dir: string): Promise<CheckedCase | SkippedCase> {
  const file = await readEditingCase(dir);
  if (typeof file === "string") return { name: dir, skipped: file };
  const folder = dirname(dir);
  using model = await loadModel(gpu, folder, { tokenizer: await findTokenizer(folder) });
  using tensors = await GoldenTensors.open(`${dir}/tensors.safetensors`);
  using covariance = await GoldenTensors.open(`${folder}/covariance.safetensors`);
  using session = new EditSession(model, storedMoments(model, covariance), { trace: true });
  const logits: Check[] = await checkLogits(model, file, tensors, "pre");
  await runEditingCase(session, file, async (name) => {
    logits.push(...await checkLogits(model, file, tensors, name));
  });
  logits.push(...await checkLogits(model, file, tensors, "post"));
  return {
    name: dir,
    checks: [...await checkSearches(session, file, tensors), ...await checkWrites(session, file, tensors), ...logits],
  };
}

/** Second moments as the golden gives them, by the checkpoint's name of each MLP output matrix. */
export function storedMoments(model: Model, covariance: GoldenTensors): MomentSource {
  const weights = namedWeights(model.config);
  return {
    get: async (layer) => {
      const { stored } = weights.find(({ name }) => name === `blocks.${layer}.mlp.W_out`)!;
      return await covariance.values(stored.replace(/\.weight$/, ""));
    },
  };
}

/** Compares the last logits of every probe that the golden has at this moment. */
async function checkLogits(model: Model, file: EditingCase, tensors: GoldenTensors, moment: string): Promise<Check[]> {
  const nameOf = (i: number): string => `logits.${moment}.${i}`;
  const probes = file.probes.map((text, i) => ({ text, i })).filter(({ i }) => tensors.has(nameOf(i)));
  if (probes.length === 0) return [];
  using cache = model.forward(probes.map(({ text }) => model.tokens(text)));
  const { logits } = await cache.read("logits");
  const { vocab } = model.config;
  const checks: Check[] = [];
  for (const [row, { i }] of probes.entries()) {
    const got = logits!.subarray(row * vocab, (row + 1) * vocab);
    checks.push(checkAbsolute(nameOf(i), got, await tensors.values(nameOf(i)), LOGIT_TOLERANCE));
  }
  return checks;
}

async function checkSearches(session: EditSession, file: EditingCase, tensors: GoldenTensors): Promise<Check[]> {
  const { model, searches } = session;
  const checks = [checkSame("searches", [searches.length], [file.searches.length])];
  const rows = file.method === "memit" || file.method === "pmet" ? expectedRows(model.tokenizer, file) : [];
  const chain = file.method === "ace-chain";
  for (const [i, found] of searches.slice(0, file.searches.length).entries()) {
    const search: ComparedSearch = {
      name: chain ? `edit.${i}` : `search.${i}`,
      found,
      golden: file.searches[i]!,
      sites: searchedSites(file),
      width: model.config.dModel,
      // MEMIT and PMET search everything before they write; a pass or edit after the first runs on changed weights.
      edited: chain ? i > 0 : file.method === "ace-paper" && i >= file.requests.length,
    };
    if (rows[i]) checks.push(...checkRows(search.name, rows[i], search.golden));
    checks.push(...checkSteps(search));
    checks.push(...await (chain ? checkColumns(search, tensors) : checkVectors(search, tensors)));
  }
  return checks;
}

async function checkWrites(
  { model, writes }: EditSession,
  file: EditingCase,
  tensors: GoldenTensors,
): Promise<Check[]> {
  const checks = [
    checkSame("written layers", writes.map((write) => write.layer), file.layers.map((write) => write.layer)),
    checkAbsolute("divisors", writes.map((write) => write.divisor), file.layers.map((write) => write.divisor), 1e-12),
  ];
  const residual = file.method === "ace-chain" ? UPDATE_TOLERANCE : EDITED_TOLERANCE;
  for (const [i, write] of writes.slice(0, file.layers.length).entries()) {
    const { key } = file.layers[i]!;
    const { dModel, dMlp } = model.config;
    const u = write.patch.rank;
    const read = i === 0 ? UNEDITED_TOLERANCE : EDITED_TOLERANCE;
    const compare = async (what: string, got: ArrayLike<number>, tolerance: number): Promise<void> => {
      checks.push(checkFrobenius(`${key} ${what}`, got, await tensors.values(`${key}.${what}`), tolerance));
    };
    await compare("K", transposed(write.keys, u, dMlp), read);
    await compare("cur", transposed(write.current, u, dModel), read);
    await compare("R", transposed(write.residual, u, dModel), residual);
    await compare("D", updateOf(write, dModel, dMlp), UPDATE_TOLERANCE);
    checks.push(checkSame(`${key} has kept keys`, [write.kept !== undefined], [tensors.has(`${key}.kept`)]));
    if (write.kept) await compare("kept", transposed(write.kept, write.kept.length / dMlp, dMlp), read);
  }
  return checks;
}

/** The change of a weight [dModel, dMlp] from its factors. */
function updateOf({ patch: { left, right, rank } }: Write, dModel: number, dMlp: number): Float64Array {
  const out = new Float64Array(dModel * dMlp);
  for (let i = 0; i < dModel; i++) {
    for (let j = 0; j < dMlp; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[i * rank + k]! * right[j * rank + k]!;
      out[i * dMlp + j] = sum;
    }
  }
  return out;
}
