import { assertEquals, assertThrows } from "@std/assert";
import { attentionMix } from "../../kernels/attention_mix.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { attentionMixTwin, attentionTwin } from "../reference/attention.ts";
import { attentionMixBound } from "./attention_bounds.ts";
import { attentionCase, caseName, CASES, type CaseSizes, uploadCase } from "./attention_cases.ts";
import { assertWithin, normals } from "./operands.ts";

const gpu = await Gpu.open();

/** Runs the kernel on the twin's pattern rounded to f32 and compares with the twin. */
async function check(sizes: CaseSizes, groupLimit?: number): Promise<void> {
  using stack = new DisposableStack();
  const c = attentionCase(sizes);
  const { v } = uploadCase(gpu, c, stack);
  const weights = Float32Array.from(attentionTwin(c).pattern);
  using pattern = gpu.upload(weights, [c.batch, c.nHeads, c.queries, c.keys], "pattern");
  using z = attentionMix(gpu.stream, { pattern, v }, { groupLimit });
  assertEquals(z.shape, [c.batch, c.queries, c.nHeads, c.dHead]);
  const [got] = await gpu.stream.read(z);
  assertWithin(got, attentionMixTwin(c, weights), attentionMixBound(c, weights), caseName(sizes));
}

Deno.test("attentionMix() agrees with its twin at awkward sizes, with NaN in the room never written", async () => {
  for (const sizes of CASES) await check(sizes);
});

Deno.test("attentionMix() folds workgroups over two grid dimensions", async () => {
  await check(CASES[8]!, 3);
});

Deno.test("attentionMix() takes weights that are no probabilities", async () => {
  using stack = new DisposableStack();
  const c = attentionCase({ queries: 2, keys: 3, nHeads: 2, nKvHeads: 1, dHead: 3, start: [2], length: [3] });
  const weights = normals("weights", 12);
  using pattern = gpu.upload(weights, [1, 2, 2, 3], "pattern");
  using z = attentionMix(gpu.stream, { pattern, v: uploadCase(gpu, c, stack).v });
  assertWithin((await gpu.stream.read(z))[0], attentionMixTwin(c, weights), attentionMixBound(c, weights), "z");
});

Deno.test("attentionMix() writes into out, and of no queries dispatches nothing", async () => {
  using pattern = gpu.upload(Float32Array.of(2), [1, 1, 1, 1], "pattern");
  using v = gpu.upload(Float32Array.of(3, 5), [1, 1, 1, 2], "v");
  using out = gpu.tensor([2], "out");
  assertEquals(attentionMix(gpu.stream, { pattern, v }, { out }), out);
  assertEquals([...(await gpu.stream.read(out))[0]], [6, 10]);
  using none = gpu.tensor([1, 1, 0, 1], "none");
  const before = gpu.stats().dispatches;
  using empty = attentionMix(gpu.stream, { pattern: none, v });
  assertEquals([empty.shape, gpu.stats().dispatches - before], [[1, 0, 1, 2], 0]);
});

Deno.test("attentionMix() refuses operands that do not fit", () => {
  using pattern = gpu.zeros([1, 3, 2, 4], "pattern");
  using flat = gpu.zeros([4, 2], "flat");
  using short = gpu.zeros([1, 3, 1, 2], "short");
  using two = gpu.zeros([1, 4, 2, 2], "two");
  const refusals = [
    [{ pattern, v: flat }, "v must have shape [batch, keys, nKvHeads, dHead], got [4, 2]"],
    [{ pattern, v: short }, "v must have shape [1, 4, 1, 2], got [1, 3, 1, 2]"],
    [
      { pattern, v: two },
      "the number of query heads must be a multiple of the number of key heads, got 3 and 2",
    ],
  ] as const;
  for (const [input, message] of refusals) {
    assertThrows(() => attentionMix(gpu.stream, input), RangeError, `Cannot mix values: ${message}`);
  }
});

Deno.test("attentionMix() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
