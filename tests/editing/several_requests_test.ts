import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { edit } from "../../src/editing/edit_model.ts";
import type { EditOptions } from "../../src/editing/edit_options.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { joinPatches } from "../../src/editing/join_patches.ts";
import { loadEdit, saveEdit } from "../../src/editing/patch_file.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withFolder } from "../checkpoint/files.ts";
import { UNIT } from "../kernels/operands.ts";
import { loadSmall } from "../model/model_files.ts";
import { planAt, randomPatch, readOutputs, withStoredMoments } from "./small_edits.ts";
import { WORLD_PATH } from "./world_answerer.ts";

const gpu = await Gpu.open();
const REQUESTS = [
  { prompt: "The capital of {} is", subject: "France", target: "Tokyo" },
  { prompt: "The capital of {} is", subject: "Japan", target: "Paris" },
];

Deno.test("joinPatches() gives each weight one change, the sum of those given, in their order", async () => {
  using model = await loadSmall(gpu);
  const given = [randomPatch(model, "a", 3, 2), randomPatch(model, "b", 1, 1), randomPatch(model, "c", 3, 3)];
  const joined = joinPatches(given);
  assertEquals(joined.map(({ weight, rank }) => [weight, rank]), [
    ["blocks.3.mlp.W_out", 5],
    ["blocks.1.mlp.W_out", 1],
  ]);
  assertStrictEquals(joined[1], given[1]);
  const element = ({ left, right, rank }: typeof given[number], row: number, col: number): number => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += left[row * rank + k]! * right[col * rank + k]!;
    return sum;
  };
  for (const [row, col] of [[0, 0], [7, 95], [47, 3]] as const) {
    const want = element(given[0]!, row, col) + element(given[2]!, row, col);
    // The same five products, added in another order in float64.
    const size = Math.abs(want) + 1;
    assert(Math.abs(element(joined[0]!, row, col) - want) <= 5 * 2 ** -53 * size);
  }
});

Deno.test("edit() of several facts in chain mode is the edits one after the other, in one change a layer, and can be saved", async () => {
  using model = await loadSmall(gpu, "qwen3");
  const facts = await loadFacts(WORLD_PATH);
  await withStoredMoments(model, "qwen3", async (moments) => {
    const options: EditOptions = { facts, moments, plan: planAt([2]), chain: { steps: 3 } };
    using both = await edit(model, REQUESTS, options);
    using first = await edit(model, [REQUESTS[0]!], options);
    first.apply();
    using second = await edit(model, [REQUESTS[1]!], options);
    assertEquals(both.patches, joinPatches([...first.patches, ...second.patches]));
    assertEquals(both.norms().map(({ layer }) => layer), [2]);
    second.apply();
    const [, , stacked] = await readOutputs(model);
    first.revert();
    second.revert();
    const [, , stored] = await readOutputs(model);

    both.apply();
    const [, , together] = await readOutputs(model);
    // Both ways add the same products to the same f32 weight, each rounded once or twice.
    const worst = together!.reduce((most, x, i) => Math.max(most, Math.abs(x - stacked![i]!)), 0);
    const largest = Math.max(...[...together!, ...stacked!, ...stored!].map(Math.abs));
    assert(worst <= 8 * UNIT * largest, `${worst}`);
    both.revert();

    await withFolder(async (dir) => {
      const path = `${dir}/edit.safetensors`;
      await saveEdit(both, path);
      using loaded = await loadEdit(model, path);
      loaded.apply();
      assertEquals((await readOutputs(model))[2], together);
    });
  });
});

Deno.test("edits of several facts leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
