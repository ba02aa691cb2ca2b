import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { aceChain } from "../../src/editing/ace_chain.ts";
import { type ChainPrompts, chainPrompts } from "../../src/editing/chain_prompts.ts";
import { availableBytes, checkEditMemory, momentMemory, searchMemory } from "../../src/editing/edit_memory.ts";
import { CHAIN_DEFAULTS } from "../../src/editing/defaults.ts";
import { edit } from "../../src/editing/edit_model.ts";
import type { EditOptions } from "../../src/editing/edit_options.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { chainSearches, spreadSearches, spreadStages } from "../../src/editing/planned_searches.ts";
import { EditSession, type MomentSource } from "../../src/editing/session.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { EDITING, loadSmall } from "../model/model_files.ts";
import { planAt } from "./small_edits.ts";

const REQUEST = { prompt: "The capital of {} is", subject: "France", target: " Berlin" };

/** Text that second moments of the small GPT-J may be counted over. */
const { corpus } = JSON.parse(await Deno.readTextFile(`${EDITING}/gptj/covariance.json`)) as { corpus: string[] };

const LAYERS = [2, 3];

/** Second moments that cost nothing. */
function identity({ config: { dMlp } }: Model): MomentSource {
  const moment = Float64Array.from({ length: dMlp ** 2 }, (_, i) => Number(i % (dMlp + 1) === 0));
  return { get: () => Promise.resolve(moment) };
}

/** Whether an estimate covers what was taken, and with how much to spare. */
function assertCovers(estimate: number, peak: number): void {
  assert(peak <= estimate && estimate <= 2.5 * peak, `${peak} bytes at most, estimated ${estimate}`);
}

for (const name of ["world-gptj", "world-qwen3"]) {
  const load = (gpu: Gpu): Promise<Model> => loadModel(gpu, `fixtures/world/${name}`);

  for (const [method, mode] of [["ace", "paper"], ["memit", "chain"], ["pmet", "chain"]] as const) {
    Deno.test(`searchMemory() covers, not by far, what ${method} takes beyond ${name}`, async () => {
      using gpu = await Gpu.open();
      using model = await load(gpu);
      const plan = planAt(LAYERS, model.config.nLayers);
      const options = { method, mode, plan, moments: identity(model), spread: { steps: 6 } };
      const { bytes } = searchMemory(
        model,
        LAYERS,
        spreadSearches(model, await spreadStages(model, [REQUEST], plan, options)),
      );
      const before = gpu.memory().live;
      using _edit = await edit(model, [REQUEST], { ...options, corpus: "fixtures/world/corpus.txt" });
      assertCovers(bytes, gpu.memory().peak - before);
    });
  }

  Deno.test(`searchMemory() covers, not by far, what chain mode takes beyond ${name}`, async () => {
    const facts = await loadFacts("fixtures/world/world.json");
    let prompts: ChainPrompts[];
    {
      using gpu = await Gpu.open();
      using model = await load(gpu);
      prompts = await chainPrompts(model, facts, [REQUEST], { exclude: [], seed: 0 });
    }
    using gpu = await Gpu.open();
    using model = await load(gpu);
    const { bytes } = searchMemory(model, LAYERS, chainSearches(prompts, LAYERS));
    const before = gpu.memory().live;
    using session = new EditSession(model, identity(model));
    await aceChain(session, prompts[0]!.request, LAYERS, { ...CHAIN_DEFAULTS, steps: 6 });
    assertCovers(bytes, gpu.memory().peak - before);
  });
}

Deno.test("momentMemory() covers what counting second moments takes", async () => {
  using gpu = await Gpu.open();
  using model = await loadSmall(gpu);
  const before = gpu.memory().live;
  await SecondMoments.compute(model, { documents: corpus.slice(0, 50), layers: [1, 2] });
  const peak = gpu.memory().peak - before;
  const lengths = corpus.slice(0, 50).map((text) => model.tokenizer.encode(text).length);
  const { bytes } = momentMemory(model, 2, lengths);
  assertCovers(bytes, peak);
});

Deno.test("edit() refuses before it counts or searches where its search would not fit, and leaves the model alone", async () => {
  let weights: number;
  let needed: number;
  {
    using gpu = await Gpu.open();
    using model = await loadSmall(gpu);
    weights = gpu.memory().live;
    const plan = planAt([2]);
    const planned = spreadSearches(model, await spreadStages(model, [REQUEST], plan, { method: "memit" }));
    needed = searchMemory(model, [2], planned).bytes;
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
  const start = "^Cannot start the search over 4 prompts of up to \\d+ tokens: it takes up to";
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
    `Cannot start counting second moments of 6 layers: it takes up to ${needed} bytes on the GPU beyond the model`,
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
