import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { bf16ToF32, f16ToF32 } from "../../src/checkpoint/half.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { assertWithin, UNIT } from "../kernels/operands.ts";
import { loadSmall } from "../model/model_files.ts";
import { randomPatch, readOutputs } from "./small_edits.ts";

const gpu = await Gpu.open();

for (const [name, widen] of [["world-gptj", f16ToF32], ["world-qwen3", bf16ToF32]] as const) {
  Deno.test(`WeightPatches.add() adds to the numbers that half-precision bits stand for, in ${name}`, async () => {
    using model = await loadModel(gpu, `fixtures/world/${name}`);
    const weight = "blocks.2.mlp.W_out";
    const stored = model.weights.get(weight);
    const [words] = await gpu.stream.read(stored);
    const base = widen(new Uint16Array(words!.buffer, words!.byteOffset, stored.length));
    const patch = randomPatch(model, name, 2, 3);
    const id = Symbol("one");
    model.patches.add(id, [patch]);
    const changed = model.weights.get(weight);
    assertEquals([changed.dtype, changed.shape], ["f32", stored.shape]);
    const [got] = await gpu.stream.read(changed);
    const { dMlp } = model.config;
    const want = new Float64Array(base.length);
    const bound = new Float64Array(base.length);
    want.forEach((_, i) => {
      let [sum, size] = [base[i]!, Math.abs(base[i]!)];
      for (let k = 0; k < 3; k++) {
        const term = patch.left[Math.floor(i / dMlp) * 3 + k]! * patch.right[i % dMlp * 3 + k]!;
        sum += term;
        size += Math.abs(term);
      }
      want[i] = sum;
      bound[i] = 2 * 4 * UNIT * size;
    });
    assertWithin(got!, want, bound, weight);
    model.patches.remove(id);
    assertStrictEquals(model.weights.get(weight), stored);
    assert(changed.disposed);
  });
}

Deno.test("WeightPatches keeps several changes of one weight apart and counts change sets", async () => {
  using model = await loadSmall(gpu);
  const [a, b] = [Symbol("a"), Symbol("b")];
  const stored = await readOutputs(model);
  model.patches.add(a, [randomPatch(model, "a", 2), randomPatch(model, "again", 2)]);
  const alone = await readOutputs(model);
  model.patches.add(b, [randomPatch(model, "b", 2)]);
  assertEquals([model.patches.count, model.patches.has(a), model.patches.has(b)], [2, true, true]);
  assertNotEquals(await readOutputs(model), alone);
  model.patches.remove(b);
  assertEquals(await readOutputs(model), alone);
  model.patches.remove(b);
  assertEquals([model.patches.count, await readOutputs(model)], [1, alone]);
  model.patches.add(b, [randomPatch(model, "b", 3)]);
  model.patches.clear();
  assertEquals([model.patches.count, await readOutputs(model)], [0, stored]);
});

Deno.test("WeightPatches.add() refuses what does not fit and keeps what was there", async () => {
  using model = await loadSmall(gpu);
  const before = await readOutputs(model);
  const good = randomPatch(model, "good", 1);
  assertThrows(
    () => model.patches.add(Symbol("wide"), [good, { ...good, rank: 3 }]),
    RangeError,
    'Cannot change "blocks.1.mlp.W_out" [48, 96]: found factors of 96 and 192 elements, wanted 144 and 288 for rank 3. ' +
      "The change belongs to another model",
  );
  assertThrows(
    () => model.patches.add(Symbol("name"), [good, { ...good, weight: "blocks.1.mlp.W_none" }]),
    TypeError,
    'Cannot find weight "blocks.1.mlp.W_none"',
  );
  assertEquals([model.patches.count, await readOutputs(model)], [0, before]);
});

Deno.test("WeightPatches.add() gives the same bits when another model is loaded before anything is read", async () => {
  using model = await loadModel(gpu, "fixtures/world/world-gptj");
  const id = Symbol("one");
  const patches = [1, 2].map((layer) => randomPatch(model, "loaded", layer));
  model.patches.add(id, patches);
  const wanted = await readOutputs(model);
  model.patches.remove(id);
  model.patches.add(id, patches);
  using _other = await loadModel(gpu, "fixtures/world/world-gptj");
  const found = await readOutputs(model);
  assert(wanted.every((values, layer) => values.every((value, i) => value === found[layer]![i])));
});

Deno.test("WeightPatches goes with its model", async () => {
  {
    using model = await loadSmall(gpu);
    model.patches.add(Symbol("left over"), [randomPatch(model, "a", 2)]);
  }
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
