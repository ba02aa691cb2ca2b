import { assert, assertGreater, assertLess } from "@std/assert";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { addScaled, frobeniusNorm, type Matrix, matrix, multiplyNt, transpose } from "../../src/linalg/dense.ts";
import { extendMetric, momentMetric, preservingMetric } from "../../src/linalg/metric.ts";
import { chainUpdate, memitUpdate, type ThinUpdate } from "../../src/linalg/thin_update.ts";

const GOLDENS = new URL("../../fixtures/goldens/editing/", import.meta.url).pathname;

/** What the two kinds of case name their settings. */
interface Hyperparameters {
  layers: number[];
  lambda: number;
  eps: number;
  ridge: number;
  kept_weight: number;
  mom2_update_weight: number;
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

async function eachWrite(
  path: string,
  body: (
    write: { keys: Matrix; residual: Matrix; change: Matrix; kept?: Matrix },
    moment: Matrix,
    left: number,
  ) => Promise<void>,
): Promise<void> {
  const { hparams, model } = JSON.parse(await Deno.readTextFile(`${GOLDENS}${path}/case.json`)) as {
    hparams: Hyperparameters;
    model: string;
  };
  using tensors = await SafetensorsFile.open(`${GOLDENS}${path}/tensors.safetensors`);
  using moments = await SafetensorsFile.open(`${GOLDENS}${path.split("/")[0]}/covariance.safetensors`);
  const out = model.includes("gptj") ? "transformer.h.%.mlp.fc_out" : "model.layers.%.mlp.down_proj";
  const prefixes = tensors.names.filter((name) => name.endsWith(".D")).map((name) => name.slice(0, -1));
  assertGreater(prefixes.length, 0);
  for (const prefix of prefixes) {
    const index = Number(/write\.(\d+)\.$/.exec(prefix)![1]);
    const moment = await read(moments, out.replace("%", String(hparams.layers[index])));
    const write = {
      keys: transpose(await read(tensors, `${prefix}K`)),
      residual: transpose(await read(tensors, `${prefix}R`)),
      change: await read(tensors, `${prefix}D`),
    };
    const kept = tensors.names.includes(`${prefix}kept`) ? transpose(await read(tensors, `${prefix}kept`)) : undefined;
    await body(kept ? { ...write, kept } : write, moment, hparams.layers.length - index);
  }
}

async function settings(path: string): Promise<Hyperparameters> {
  return JSON.parse(await Deno.readTextFile(`${GOLDENS}${path}/case.json`)).hparams;
}

for (const path of ["gptj/memit", "gptj/pmet", "qwen3/memit", "qwen3/pmet"]) {
  Deno.test(`memitUpdate() gives the writes of ${path}`, async () => {
    const { mom2_update_weight: lambda } = await settings(path);
    await eachWrite(path, async ({ keys, residual, change }, moment, layersLeft) => {
      const metric = momentMetric(moment, { lambda });
      const divisor = path.endsWith("memit") ? layersLeft : Math.sqrt(layersLeft);
      assertSame(await memitUpdate({ keys, residual, divisor, metric }), change);
    });
  });
}

for (const path of ["gptj/ace-chain", "gptj/ace-chain-spread", "qwen3/ace-chain"]) {
  Deno.test(`chainUpdate() gives the writes of ${path} by one factorisation and by the thin one`, async () => {
    const { lambda, eps, ridge, kept_weight: weight } = await settings(path);
    await eachWrite(path, async ({ keys, residual, change, kept }, moment, layersLeft) => {
      assert(kept);
      const divisor = Math.sqrt(layersLeft);
      const whole = preservingMetric(moment, { keys: kept, weight }, { lambda, eps });
      assertSame(await chainUpdate({ keys, residual, divisor, metric: whole }, { ridge }), change);
      const thin = await extendMetric(momentMetric(moment, { lambda, eps }), { keys: kept, weight });
      assertSame(await chainUpdate({ keys, residual, divisor, metric: thin }, { ridge }), change);
    });
  });
}
