import { assert, assertGreater, assertLess } from "@std/assert";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { addScaled, frobeniusNorm, type Matrix, matrix, multiplyNt, transpose } from "../../src/linalg/dense.ts";
import { extendMetric, momentMetric, preservingMetric } from "../../src/linalg/metric.ts";
import { chainUpdate, memitUpdate, type ThinUpdate } from "../../src/linalg/thin_update.ts";

const GOLDENS = new URL("../../fixtures/goldens/editing/", import.meta.url).pathname;

/** What a case file says about settings and writes. */
interface Case {
  hparams: { lambda: number; eps: number; ridge: number; kept_weight: number; mom2_update_weight: number };
  layers: { key: string; module: string; divisor: number }[];
}

/** A write of a case with its second moment. */
interface GoldenWrite {
  keys: Matrix;
  residual: Matrix;
  divisor: number;
  change: Matrix;
  moment: Matrix;
  kept: Matrix | null;
}

async function read(file: SafetensorsFile, name: string): Promise<Matrix> {
  const [rows, cols] = file.info(name).shape;
  const { buffer } = await file.read(name);
  const { dtype } = file.info(name);
  return matrix(rows, cols, dtype === "F64" ? new Float64Array(buffer) : new Float32Array(buffer));
}

function assertSame(update: ThinUpdate, wanted: Matrix): void {
  const error = frobeniusNorm(addScaled(multiplyNt(update.left, update.right), wanted, -1)) / frobeniusNorm(wanted);
  // Two float64 solutions differ by at most their backward errors times the condition, here with room for n = 96.
  assertLess(error, 96 * 8 * 2 ** -53 * update.conditionEstimate);
}

async function readCase(path: string): Promise<{ hparams: Case["hparams"]; writes: GoldenWrite[] }> {
  const { hparams, layers } = JSON.parse(await Deno.readTextFile(`${GOLDENS}${path}/case.json`)) as Case;
  using tensors = await SafetensorsFile.open(`${GOLDENS}${path}/tensors.safetensors`);
  using moments = await SafetensorsFile.open(`${GOLDENS}${path.split("/")[0]}/covariance.safetensors`);
  const writes = [];
  for (const { key, module, divisor } of layers) {
    writes.push({
      keys: transpose(await read(tensors, `${key}.K`)),
      residual: transpose(await read(tensors, `${key}.R`)),
      divisor,
      change: await read(tensors, `${key}.D`),
      moment: await read(moments, module.replace(/\.weight$/, "")),
      kept: tensors.names.includes(`${key}.kept`) ? transpose(await read(tensors, `${key}.kept`)) : null,
    });
  }
  assertGreater(writes.length, 0);
  return { hparams, writes };
}

for (const path of ["gptj/memit", "gptj/pmet", "qwen3/memit", "qwen3/pmet"]) {
  Deno.test(`memitUpdate() gives the writes of ${path}`, async () => {
    const { hparams, writes } = await readCase(path);
    for (const { keys, residual, divisor, change, moment } of writes) {
      const metric = momentMetric(moment, { lambda: hparams.mom2_update_weight });
      assertSame(await memitUpdate({ keys, residual, divisor, metric }), change);
    }
  });
}

for (const path of ["gptj/ace-chain", "gptj/ace-chain-spread", "qwen3/ace-chain"]) {
  Deno.test(`chainUpdate() gives the writes of ${path} by one factorisation and by the thin one`, async () => {
    const { hparams: { lambda, eps, ridge, kept_weight: weight }, writes } = await readCase(path);
    for (const { keys, residual, divisor, change, moment, kept } of writes) {
      assert(kept);
      const whole = preservingMetric(moment, { keys: kept, weight }, { lambda, eps });
      assertSame(await chainUpdate({ keys, residual, divisor, metric: whole }, { ridge }), change);
      const thin = await extendMetric(momentMetric(moment, { lambda, eps }), { keys: kept, weight });
      assertSame(await chainUpdate({ keys, residual, divisor, metric: thin }, { ridge }), change);
    }
  });
}
