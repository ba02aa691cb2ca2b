import { assertEquals, assertLess } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Model } from "../../src/model/model.ts";
import { teacherForce } from "../../src/model/teacher_forcing.ts";
import { logSoftmaxRow } from "../reference/softmax.ts";
import { loadSmall } from "./model_files.ts";

const gpu = await Gpu.open();
const PROMPTS = [[45, 268, 1478], [7], [12, 900, 31, 5, 5, 2000, 18], [3, 4]];

/** Log-probabilities after every position of a sequence. */
async function allLogProbs(model: Model, ids: readonly number[]): Promise<Float64Array[]> {
  using cache = model.forward(ids, { logits: "all" });
  const logits = (await cache.read("logits"))["logits"]!;
  const { vocab } = model.config;
  return ids.map((_, t) => logSoftmaxRow(logits.subarray(t * vocab, (t + 1) * vocab)));
}

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`teacherForce() gives the log-probability of each target token after those before it, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const rows = PROMPTS.map((prompt, i) => ({ prompt, target: [100 + i, 7, 2559].slice(0, 1 + i % 3) }));
    const results = await teacherForce(model, rows);
    for (const [i, { prompt, target }] of rows.entries()) {
      const logProbs = await allLogProbs(model, [...prompt, ...target.slice(0, -1)]);
      target.forEach((token, j) => {
        const at = logProbs[prompt.length - 1 + j]!;
        // The tolerance of logits in the forward goldens.
        assertLess(Math.abs(results[i]!.logProbs[j]! - at[token]!), 3e-4);
        assertEquals(results[i]!.argmax[j], at.indexOf(Math.max(...at)));
      });
      assertEquals(results[i]!.given, results[i]!.argmax.join() === target.join());
    }
  });

  Deno.test(`teacherForce() says given of exactly the greedy continuation, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const greedy: number[][] = [];
    for (const prompt of PROMPTS) {
      const target: number[] = [];
      for (let j = 0; j < 3; j++) {
        const last = (await allLogProbs(model, [...prompt, ...target])).at(-1)!;
        target.push(last.indexOf(Math.max(...last)));
      }
      greedy.push(target);
    }
    const right = PROMPTS.map((prompt, i) => ({ prompt, target: greedy[i]! }));
    const wrong = right.map(({ prompt, target }) => ({
      prompt,
      target: [...target.slice(0, 2), (target[2]! + 1) % 2560],
    }));
    const given = (await teacherForce(model, [...right, ...wrong])).map((result) => result.given);
    assertEquals(given, [true, true, true, true, false, false, false, false]);
  });
}

Deno.test("teacherForce() waits once, however many rows, and not at all for none", async () => {
  using model = await loadSmall(gpu);
  const before = gpu.stats().reads;
  await teacherForce(model, Array.from({ length: 90 }, (_, i) => ({ prompt: Array(60).fill(i), target: [i, 1] })));
  assertEquals(gpu.stats().reads - before, 1);
  assertEquals(await teacherForce(model, []), []);
  assertEquals(gpu.stats().reads - before, 1);
});

Deno.test("teacherForce() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
