import { assertEquals, assertLess } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { edit } from "../../src/editing/edit_model.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { lastLogits, loadSmall } from "../model/model_files.ts";
import { planAt, withStoredMoments } from "./small_edits.ts";

const gpu = await Gpu.open();
// What a dropped WebGPU object holds outside the heap goes with the next full collection, which is far away otherwise.
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
const REQUEST = { prompt: "The capital of {} is", subject: "France", target: "Tokyo" };

/** Loads, edits, reverts and closes once. @returns Bytes of the weights. */
async function once(): Promise<number> {
  using model = await loadSmall(gpu);
  await withStoredMoments(model, "gptj", async (moments) => {
    using made = await edit(model, [REQUEST], { method: "memit", moments, plan: planAt([2]), spread: { steps: 2 } });
    made.apply();
    await lastLogits(model, [45, 268, 1478, 12, 900]);
    made.revert();
  });
  return model.weights.byteLength;
}

Deno.test("an edit that is repeated finds all its bind groups, which nothing but a garbage collection gives back", async () => {
  // The first two rounds fill the pool.
  for (let i = 0; i < 2; i++) await once();
  let made = 0;
  const create = gpu.device.createBindGroup;
  gpu.device.createBindGroup = (descriptor) => {
    made++;
    return create.call(gpu.device, descriptor);
  };
  try {
    for (let i = 0; i < 3; i++) await once();
  } finally {
    gpu.device.createBindGroup = create;
  }
  assertEquals(made, 0);
});

Deno.test("loading, editing, reverting and closing 50 times keeps nothing on the GPU and nothing in the process", async () => {
  const resident: number[] = [];
  let bytes = 0;
  for (let i = 0; i < 50; i++) {
    bytes = await once();
    assertEquals(gpu.memory().live, 0);
    collect();
    resident.push(Deno.memoryUsage().rss);
  }
  // The first twenty fill caches and pools; the largest of ten values leaves out what the allocator gives back between.
  const growth = Math.max(...resident.slice(40)) - Math.max(...resident.slice(20, 30));
  // A quarter of what the process would have grown by if the weights alone had stayed each time.
  assertLess(growth, 20 * bytes / 4);
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
