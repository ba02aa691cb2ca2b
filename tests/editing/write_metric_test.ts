import { assertEquals, assertLess } from "@std/assert";
import { factorsOnGpu, withMetric } from "../../src/editing/write_metric.ts";
import { EditSession } from "../../src/editing/session.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { frobeniusNorm, matrix } from "../../src/linalg/dense.ts";
import { loadModel } from "../../src/model/load_model.ts";

const ROOT = "fixtures/goldens/editing";
const gpu = await Gpu.open();

Deno.test("withMetric() gives the same metric by a factor on the CPU and by one on the GPU with a low-rank term", async () => {
  using model = await loadModel(gpu, `${ROOT}/gptj`, { tokenizer: `${ROOT}/tokenizer.json` });
  const n = model.config.dMlp;
  // A diagonal moment of known inverse, and two preserved unit keys.
  const diagonal = Float64Array.from({ length: n * n }, (_, i) => i % (n + 1) === 0 ? 1 + (i % 7) : 0);
  using session = new EditSession(model, { get: () => Promise.resolve(diagonal) });
  const keys = matrix(2, n, Float64Array.from({ length: 2 * n }, (_, i) => Number(i === 3 || i === n + 5)));
  const rows = matrix(3, n, Float64Array.from({ length: 3 * n }, (_, i) => Math.sin(i)));
  const preserved = { keys, weight: 0.5 };
  const options = { layer: 0, lambda: 2, preserved };
  const solve = (cpuWidth: number): Promise<Float64Array> =>
    withMetric(session, { ...options, cpuWidth }, async (metric) => (await metric.applyInverse(rows)).data);
  const cpu = await solve(n);
  const gpuSolved = await solve(n - 1);
  const expected = Float64Array.from(rows.data, (x, i) => {
    const k = i % n;
    const kept = k === 3 || k === 5 ? 0.5 / 2 : 0;
    return x / (2 * diagonal[k * n + k]! + kept);
  });
  for (const found of [cpu, gpuSolved]) {
    const error = frobeniusNorm(matrix(3, n, found.map((x, i) => x - expected[i]!)));
    assertLess(error / frobeniusNorm(matrix(3, n, expected)), 1e-10);
  }
});

Deno.test("factorsOnGpu() leaves the factor to the CPU where that is fast or no binding holds it", () => {
  // GPT-J's dMlp: the factor takes 1 GiB; 2049 columns are padded to 2112, or 17,842,176 bytes.
  assertEquals([factorsOnGpu(16384, 2 ** 30), factorsOnGpu(16384, 2 ** 30 - 1)], [true, false]);
  assertEquals([factorsOnGpu(2049, 17_842_176), factorsOnGpu(2049, 17_842_175)], [true, false]);
  assertEquals(factorsOnGpu(2048, 2 ** 31), false);
});

Deno.test("the metrics of writes leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
