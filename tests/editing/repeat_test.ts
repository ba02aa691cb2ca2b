import { assertEquals, assertLess } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { edit } from "../../src/editing/edit_model.ts";
import { Facts } from "../../src/editing/facts.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import type { MomentSource } from "../../src/editing/session.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { lastLogits, loadSmall } from "../model/model_files.ts";
import { planAt } from "./small_edits.ts";
import { WORLD, WORLD_PATH } from "./world_answerer.ts";

const gpu = await Gpu.open();
// What a dropped WebGPU object holds outside the heap goes with the next full collection, which is far away otherwise.
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const MODEL = "fixtures/world/world-qwen3";
const LAYER = 7;
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };

/** Four countries with their capitals and three heads each: chain mode with everything it has, and little of it. */
const facts = ((): Facts => {
  const countries = ["France", "Sweden", "Japan", "India"];
  const heads = WORLD.facts["landmark_country"]!;
  return Facts.parse({
    relations: WORLD.relations,
    facts: {
      country_capital: WORLD.facts["country_capital"]!.filter(([country]) => countries.includes(country)),
      landmark_country: countries.flatMap((country) => heads.filter(([, object]) => object === country).slice(0, 3)),
    },
    chains: [],
  }, WORLD_PATH);
})();

/** Second moments over a few documents, which no round computes again. */
const moments: MomentSource = await (async () => {
  using model = await loadModel(gpu, MODEL);
  const documents = (await Deno.readTextFile("fixtures/world/corpus.txt")).split("\n").slice(0, 5);
  const values = await (await SecondMoments.compute(model, { documents, layers: [LAYER] })).get(LAYER);
  return { get: () => Promise.resolve(values) };
})();

/** Loads, edits in chain mode, reverts and closes once. @returns Bytes of the weights. */
async function once(on: Gpu): Promise<number> {
  using model = await loadModel(on, MODEL);
  using made = await edit(model, [REQUEST], { facts, moments, plan: planAt([LAYER], 8), chain: { steps: 2 } });
  made.apply();
  await lastLogits(model, [45, 268, 1478, 12, 900]);
  made.revert();
  return model.weights.byteLength;
}

Deno.test("an edit that is repeated finds all its bind groups, which nothing but a garbage collection gives back", async () => {
  // The first two rounds fill the pool.
  for (let i = 0; i < 2; i++) await once(gpu);
  let made = 0;
  const create = gpu.device.createBindGroup;
  gpu.device.createBindGroup = (descriptor) => {
    made++;
    return create.call(gpu.device, descriptor);
  };
  try {
    for (let i = 0; i < 3; i++) await once(gpu);
  } finally {
    gpu.device.createBindGroup = create;
  }
  assertEquals(made, 0);
});

Deno.test("opening a GPU, loading, editing, reverting and closing 50 times keeps nothing of it and nothing in the process", async () => {
  const resident: number[] = [];
  let bytes = 0;
  for (let i = 0; i < 50; i++) {
    const own = await Gpu.open();
    bytes = await once(own);
    assertEquals(own.memory().live, 0);
    own.close();
    collect();
    resident.push(Deno.memoryUsage().rss);
  }
  // The first twenty fill caches of the driver; the largest of ten values leaves out what the allocator gives back between.
  const growth = Math.max(...resident.slice(40)) - Math.max(...resident.slice(20, 30));
  // A quarter of what the process would have grown by if the weights alone had stayed each time.
  assertLess(growth, 20 * bytes / 4, resident.map((value) => (value / 1e6).toFixed(0)).join(" "));
});

Deno.test("short passes do not make the driver compile kernels again at every launch", async () => {
  using model = await loadSmall(gpu);
  const pass = async (): Promise<void> => {
    for (const length of [1, 2, 5, 7, 20]) await lastLogits(model, Array.from({ length }, (_, i) => 1 + i));
  };
  for (let i = 0; i < 10; i++) await pass();
  collect();
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 40; i++) await pass();
  collect();
  // A compiled kernel takes at least 100 kB of the process; here 200 passes launch each a few times.
  assertLess(Deno.memoryUsage().rss - before, 200 * 1e5);
});

Deno.test("repeated edits leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
