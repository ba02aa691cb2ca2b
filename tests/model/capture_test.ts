import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { SeededRandom } from "../../src/linalg/seeded_random.ts";
import { batchesByLength, captureRows, layerOfHook } from "../../src/model/capture.ts";
import { loadSmall } from "./model_files.ts";

const gpu = await Gpu.open();

Deno.test("batchesByLength() takes every sequence once, in batches within the bound", () => {
  const random = new SeededRandom(3, "lengths");
  const lengths = Array.from({ length: 200 }, () => 1 + random.below(60));
  const batches = batchesByLength(lengths, 150);
  assertEquals(batches.flat().toSorted((a, b) => a - b), lengths.map((_, i) => i));
  for (const batch of batches) {
    assert(batch.length * Math.max(...batch.map((i) => lengths[i]!)) <= 150);
  }
  // Sorted by length, so padding stays small: fewer batches than one by one by far.
  assertLess(batches.length, lengths.length / 2);
  assertEquals(batchesByLength([9, 500], 100), [[0], [1]]);
  // 40 short sequences fill a batch; longer ones would pad them to twice their length.
  const mixed = [...new Array(40).fill(8), ...new Array(40).fill(16)];
  assertEquals(batchesByLength(mixed).map((batch) => batch.length), [40, 40]);
  assertEquals(batchesByLength([]), []);
});

Deno.test("layerOfHook() reads the block of a hook", () => {
  assertEquals(layerOfHook("blocks.13.mlp.hook_post"), 13);
  assertThrows(
    () => layerOfHook("hook_embed"),
    TypeError,
    'Cannot find the block of hook "hook_embed": wanted blocks.N',
  );
});

for (const family of ["gptj", "qwen3"] as const) {
  Deno.test(`captureRows() gives what single passes give, in the order of sequences and positions, in ${family}`, async () => {
    using model = await loadSmall(gpu, family);
    const random = new SeededRandom(5, family);
    // 60 sequences of up to 120 tokens: more than one batch.
    const sequences = Array.from({ length: 60 }, (_, i) => {
      const ids = Array.from({ length: 1 + random.below(120) }, () => random.below(2560));
      const last = ids.length - 1;
      return { ids, positions: i % 7 === 0 ? [] : i % 2 === 0 ? [last, 0] : [last >> 1] };
    });
    const hooks = ["blocks.1.mlp.hook_post", "blocks.3.hook_resid_post"];
    const found = await captureRows(model, sequences, hooks);
    for (const [h, hook] of hooks.entries()) {
      let row = 0;
      for (const { ids, positions } of sequences) {
        using cache = model.forward(ids, { keep: [hook], logits: "none" });
        const values = (await cache.read(hook))[hook]!;
        const width = values.length / ids.length;
        const largest = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
        for (const position of positions) {
          const got = found[h]!.subarray(row * width, (row + 1) * width);
          const want = values.subarray(position * width, (position + 1) * width);
          // The tolerance of activations in the forward goldens.
          got.forEach((x, i) => assertLess(Math.abs(x - want[i]!), 1e-4 * largest));
          row++;
        }
      }
      assertEquals(found[h]!.length % row, 0);
    }
  });
}

Deno.test("captureRows() of no positions gives no rows", async () => {
  using model = await loadSmall(gpu);
  const [none] = await captureRows(model, [{ ids: [1, 2], positions: [] }], ["blocks.0.mlp.hook_post"]);
  assertEquals(none, new Float32Array(0));
});

Deno.test("captureRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
