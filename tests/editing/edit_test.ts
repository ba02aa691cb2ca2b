import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { readCorpus } from "../../src/editing/corpus.ts";
import { Edit } from "../../src/editing/edit.ts";
import { edit } from "../../src/editing/edit_model.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import type { EditProgress } from "../../src/editing/session.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { withFolder } from "../checkpoint/files.ts";
import { assertWithin, UNIT } from "../kernels/operands.ts";
import { lastLogits, loadSmall } from "../model/model_files.ts";
import { WORLD_PATH } from "./world_answerer.ts";
import { planAt, randomEdit, readOutputs, withStoredMoments } from "./small_edits.ts";

const gpu = await Gpu.open();
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Tokyo" };

/** Every order of three things. */
const ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

Deno.test("Edit.apply() adds the change to the stored weight", async () => {
  using model = await loadSmall(gpu);
  const before = await readOutputs(model);
  using one = randomEdit(model, "one", [1, 4]);
  one.apply();
  const after = await readOutputs(model);
  for (const [layer, stored] of before.entries()) {
    const patch = one.patches.find(({ weight }) => weight === `blocks.${layer}.mlp.W_out`);
    if (!patch) {
      assertEquals(after[layer], stored);
      continue;
    }
    const { left, right, rank } = patch;
    const want = new Float64Array(stored.length);
    const bound = new Float64Array(stored.length);
    want.forEach((_, i) => {
      const [row, col] = [Math.floor(i / 96), i % 96];
      let [sum, size] = [stored[i]!, Math.abs(stored[i]!)];
      for (let k = 0; k < rank; k++) {
        sum += left[row * rank + k]! * right[col * rank + k]!;
        size += Math.abs(left[row * rank + k]! * right[col * rank + k]!);
      }
      want[i] = sum;
      bound[i] = 2 * (rank + 1) * UNIT * size;
    });
    assertWithin(after[layer]!, want, bound, `layer ${layer}`);
  }
});

Deno.test("Edit.revert() of stacked edits leaves the base plus the remaining ones, bit for bit, in any order", async () => {
  using model = await loadSmall(gpu);
  const stored = Array.from({ length: 6 }, (_, layer) => model.weights.get(`blocks.${layer}.mlp.W_out`));
  const edits = [randomEdit(model, "a", [1, 2]), randomEdit(model, "b", [2, 3]), randomEdit(model, "c", [2])];
  // What each set of edits gives when nothing else was ever applied.
  const alone = new Map<string, Float32Array[]>();
  for (const kept of [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
    kept.forEach((i) => edits[i]!.apply());
    alone.set(kept.join(), await readOutputs(model));
    kept.forEach((i) => edits[i]!.revert());
  }
  assertNotEquals(alone.get("0,1"), alone.get("0,2"));
  for (const order of ORDERS) {
    for (const one of edits) one.apply();
    let remaining = [0, 1, 2];
    for (const i of order) {
      edits[i]!.revert();
      remaining = remaining.filter((j) => j !== i);
      assertEquals(await readOutputs(model), alone.get(remaining.join()), `reverted ${order}, at ${i}`);
    }
    stored.forEach((tensor, layer) => assertStrictEquals(model.weights.get(`blocks.${layer}.mlp.W_out`), tensor));
  }
});

Deno.test("Edit.revert() puts stored f16 weights themselves back", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-gptj");
  const stored = model.weights.get("blocks.3.mlp.W_out");
  const [bits] = await gpu.stream.read(stored);
  const logits = await lastLogits(model, [45, 268]);
  using one = randomEdit(model, "half", [3]);
  one.apply();
  assertNotEquals(await lastLogits(model, [45, 268]), logits);
  one.revert();
  assertStrictEquals(model.weights.get("blocks.3.mlp.W_out"), stored);
  assertEquals((await gpu.stream.read(stored))[0], bits);
  assertEquals(await lastLogits(model, [45, 268]), logits);
});

Deno.test("Edit refuses to be applied twice and to be reverted when it is not applied", async () => {
  using model = await loadSmall(gpu);
  const one = randomEdit(model, "one", [1]);
  assertEquals(one.applied, false);
  assertThrows(() => one.revert(), TypeError, "Cannot revert the edit: it is not applied");
  one.apply();
  assertEquals(one.applied, true);
  assertThrows(() => one.apply(), TypeError, "Cannot apply the edit: it is applied already. Revert it first");
  one[Symbol.dispose]();
  assertEquals(one.applied, false);
});

Deno.test("Edit.apply() refuses a change whose factors do not fit, and changes nothing", async () => {
  using model = await loadSmall(gpu);
  const { record, patches } = randomEdit(model, "one", [1, 2]);
  const wrong = { ...patches[1]!, left: patches[1]!.left.subarray(2) };
  const damaged = new Edit(model, record, [patches[0]!, wrong], []);
  const before = await readOutputs(model);
  assertThrows(
    () => damaged.apply(),
    RangeError,
    'Cannot change "blocks.2.mlp.W_out" [48, 96]: found factors of 94 and 192 elements, wanted 96 and 192 for rank 2. ' +
      "The change belongs to another model",
  );
  assertEquals([damaged.applied, await readOutputs(model)], [false, before]);
});

for (const method of ["memit", "pmet"] as const) {
  Deno.test(`edit() by ${method} leaves the model as it was, writes the planned layers, and moves the answer`, async () => {
    using model = await loadSmall(gpu);
    await withStoredMoments(model, "gptj", async (moments) => {
      const before = await readOutputs(model);
      const stages: EditProgress[] = [];
      using made = await edit(model, [REQUEST], {
        method,
        moments,
        plan: planAt([1, 2, 3]),
        spread: { steps: 8, lr: 0.5 },
        onProgress: (progress) => stages.push(progress),
      });
      assertEquals(await readOutputs(model), before);
      assertEquals(made.patches.map(({ weight }) => weight), [1, 2, 3].map((layer) => `blocks.${layer}.mlp.W_out`));
      assertEquals(made.record.requests, [REQUEST]);
      assertEquals([made.record.method, made.record.mode, made.record.modelHash], [method, null, model.hash]);
      assertEquals(made.record.searches.map(({ evaluations }) => evaluations), [8]);
      const { firstNll, lastNll } = made.record.searches[0]!;
      const [solve] = made.record.solves!;
      // The least squares are solved in float64, whose rounding is 1e-16.
      assertLess(solve!.backwardError, 1e-12);
      assertLess(1, solve!.conditionEstimate);
      assertLess(lastNll, firstNll);
      assertEquals(
        made.record.warnings,
        lastNll > 0.5
          ? [
            `Search 1 ended far from its target: negative log-probability ${lastNll.toFixed(2)} after 8 steps, from ` +
            `${firstNll.toFixed(2)}; the edit may not hold`,
          ]
          : [],
      );
      assert(stages.some(({ stage }) => stage === "search"));

      const [target] = model.tokenizer.encode(" Tokyo");
      const ids = model.tokens("The capital of France is");
      const logProb = async (): Promise<number> => {
        const logits = await lastLogits(model, ids);
        const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
        return logits[target!]! - max - Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
      };
      const unedited = await logProb();
      made.apply();
      assertLess(unedited, await logProb());
      for (const [i, { layer, change, relative }] of made.norms().entries()) {
        assertEquals(layer, i + 1);
        const after = await readOutputs(model);
        const size = Math.hypot(...before[layer]!);
        const moved = Math.hypot(...after[layer]!.map((x, j) => x - before[layer]![j]!));
        // One column: a product and a sum are rounded in each element, and both weights are differences' operands.
        const rounding = 4 * UNIT * (Math.hypot(...after[layer]!) + size + change);
        assertLess(Math.abs(change - moved), rounding);
        assertAlmostEquals(relative, change / size, 1e-12);
      }
    });
  });
}

Deno.test("edit() repeats itself with the same seed", async () => {
  using model = await loadSmall(gpu, "qwen3");
  await withStoredMoments(model, "qwen3", async (moments) => {
    const make = async (seed: number) => {
      using made = await edit(model, [REQUEST], {
        method: "memit",
        moments,
        plan: planAt([2]),
        spread: { steps: 3 },
        seed,
      });
      return made;
    };
    const first = await make(1);
    assertEquals((await make(1)).patches, first.patches);
    assertNotEquals((await make(2)).record.contexts, first.record.contexts);
  });
});

Deno.test("edit() over an applied edit takes the second moments that were kept before it", async () => {
  using model = await loadSmall(gpu, "qwen3");
  await withFolder(async (momentsCache) => {
    const corpus = `${momentsCache}/corpus.txt`;
    const documents = await readCorpus("fixtures/world/corpus.txt", 100);
    await Deno.writeTextFile(corpus, documents.join("\n"));
    const options = { method: "memit" as const, corpus, momentsCache, plan: planAt([2]), spread: { steps: 3 } };
    using other = randomEdit(model, "one", [1]);
    other.apply();
    await assertRejects(
      () => edit(model, [REQUEST], options),
      TypeError,
      "Cannot compute second moments of layer 2 while an edit is applied",
    );
    other.revert();
    const moments = await SecondMoments.compute(model, { documents, layers: [2], cacheDir: momentsCache });
    other.apply();
    using stacked = await edit(model, [REQUEST], options);
    using given = await edit(model, [REQUEST], { ...options, moments });
    assertEquals([stacked.patches, model.patches.count], [given.patches, 1]);
    const over = "Computed while another edit was applied; without, or in another order, it may not hold";
    assertEquals(stacked.record.warnings[0], over);
  });
});

Deno.test("edit() by memit takes a prompt that the facts do not know, and refuses two wordings of one they know", async () => {
  using model = await loadSmall(gpu);
  const facts = await loadFacts(WORLD_PATH);
  await withStoredMoments(model, "gptj", async (moments) => {
    const options = { facts, moments, plan: planAt([2]), spread: { steps: 1 } };
    const foreign = { ...REQUEST, prompt: "The emblem of {} is" };
    using made = await edit(model, [foreign], { ...options, method: "memit" });
    assertEquals(made.record.requests, [foreign]);
    const other = { ...REQUEST, prompt: "The capital city of {} is", target: "Rome" };
    for (const method of [{ method: "memit" }, { mode: "paper" }, { mode: "chain" }] as const) {
      await assertRejects(
        () => edit(model, [REQUEST, other], { ...options, ...method }),
        TypeError,
        "they want different answers for one fact; remove one",
      );
    }
  });
});

Deno.test("edit() stops when it is told to and leaves nothing applied", async () => {
  using model = await loadSmall(gpu);
  await withStoredMoments(model, "gptj", async (moments) => {
    const before = await readOutputs(model);
    const controller = new AbortController();
    let failure: unknown;
    try {
      await edit(model, [REQUEST], {
        method: "memit",
        moments,
        plan: planAt([1, 2]),
        signal: controller.signal,
        onProgress: () => controller.abort(new DOMException("Stopped", "AbortError")),
      });
    } catch (error) {
      failure = error;
    }
    assertEquals((failure as Error).name, "AbortError");
    assertEquals([await readOutputs(model), model.patches.count], [before, 0]);
  });
});

Deno.test("edits leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
