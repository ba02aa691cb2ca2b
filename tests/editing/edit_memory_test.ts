import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { spreadSearches } from "../../src/editing/edit_estimate.ts";
import { availableBytes, checkEditMemory, momentMemory, searchMemory } from "../../src/editing/edit_memory.ts";
import { edit } from "../../src/editing/edit_model.ts";
import type { EditOptions } from "../../src/editing/edit_options.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { EDITING, loadSmall } from "../model/model_files.ts";
import { planAt, withStoredMoments } from "./small_edits.ts";

const REQUEST = { prompt: "The capital of {} is", subject: "France", target: " Berlin" };

/** Text that second moments of the small GPT-J may be counted over. */
const { corpus } = JSON.parse(await Deno.readTextFile(`${EDITING}/gptj/covariance.json`)) as { corpus: string[] };

Deno.test("searchMemory() covers what an edit takes beyond its model", async () => {
  for (const method of ["memit", "pmet"] as const) {
    using gpu = await Gpu.open();
    using model = await loadSmall(gpu);
    const before = gpu.memory().live;
    const layers = [2, 3];
    await withStoredMoments(model, "gptj", async (moments) => {
      using _edit = await edit(model, [REQUEST], { method, moments, plan: planAt(layers) });
    });
    const peak = gpu.memory().peak - before;
    const { stage, bytes } = searchMemory(model, layers, spreadSearches(model, [REQUEST]));
    assert(peak <= bytes && bytes <= 8 * peak, `${method}: ${peak} bytes at most, estimated ${bytes}`);
    assertMatch(stage, /^the search over 4 prompts of up to \d+ tokens$/);
  }
});

Deno.test("momentMemory() covers what counting second moments takes", async () => {
  using gpu = await Gpu.open();
  using model = await loadSmall(gpu);
  const before = gpu.memory().live;
  await SecondMoments.compute(model, { documents: corpus.slice(0, 50), layers: [1, 2] });
  const peak = gpu.memory().peak - before;
  const lengths = corpus.slice(0, 50).map((text) => model.tokenizer.encode(text).length);
  const { bytes } = momentMemory(model, 2, lengths);
  assert(peak <= bytes && bytes <= 4 * peak, `${peak} bytes at most, estimated ${bytes}`);
});

Deno.test("edit() refuses before it counts or searches where its search would not fit, and leaves the model alone", async () => {
  let weights: number;
  let needed: number;
  {
    using gpu = await Gpu.open();
    using model = await loadSmall(gpu);
    weights = gpu.memory().live;
    needed = searchMemory(model, [2], spreadSearches(model, [REQUEST])).bytes;
  }
  // Room for what the model is asked before, and a byte too little for the search.
  using gpu = await Gpu.open({ maxBytes: weights + needed - 1 });
  using model = await loadSmall(gpu, "gptj");
  const stages: string[] = [];
  const options: EditOptions = {
    method: "memit",
    corpus: `${EDITING}/nowhere.txt`,
    plan: planAt([2]),
    onProgress: ({ stage }) => stages.push(stage),
  };
  const { message } = await assertRejects(() => edit(model, [REQUEST], options), RangeError);
  const start = "^Cannot start the search over 4 prompts of up to \\d+ tokens: it takes";
  const end = "Edit fewer layers, use fewer or shorter prompts, or allow more memory \\(--max-memory\\)$";
  const wanted = `${start} ${needed} bytes on the GPU beyond the model, and \\d+ are available on .*\\. ${end}`;
  assertMatch(message, new RegExp(wanted));
  assertEquals([stages, model.patches.count], [[], 0]);
});

Deno.test("SecondMoments.compute() refuses before it counts where its sums do not fit", async () => {
  using sizes = await Gpu.open();
  using whole = await loadSmall(sizes);
  const lengths = corpus.map((text) => whole.tokenizer.encode(text).length);
  const needed = momentMemory(whole, 6, lengths).bytes;
  using gpu = await Gpu.open({ maxBytes: sizes.memory().live + needed - 1 });
  using model = await loadSmall(gpu);
  const before = gpu.stats().dispatches;
  await assertRejects(
    () => SecondMoments.compute(model, { documents: corpus, layers: [0, 1, 2, 3, 4, 5] }),
    RangeError,
    `Cannot start counting second moments of 6 layers: it takes ${needed} bytes on the GPU beyond the model`,
  );
  assertEquals(gpu.stats().dispatches, before);
});

Deno.test("checkEditMemory() passes what fits, and anything where the device tells no limit", async () => {
  const stage = "the search";
  using small = await Gpu.open({ maxBytes: 1000 });
  assertEquals(availableBytes(small), 1000);
  checkEditMemory(small, { stage, bytes: 1000 });
  assertThrows(() => checkEditMemory(small, { stage, bytes: 1001 }), RangeError, "1001 bytes");
  using unknown = await Gpu.open({ maxBytes: Number.MAX_SAFE_INTEGER });
  assertEquals(availableBytes(unknown), null);
  checkEditMemory(unknown, { stage, bytes: 2 ** 52 });
});
