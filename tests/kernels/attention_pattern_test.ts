import { assertEquals, assertThrows } from "@std/assert";
import { attentionPattern, type AttentionPatternOptions } from "../../kernels/attention_pattern.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { attentionTwin } from "../reference/attention.ts";
import { attentionBounds } from "./attention_bounds.ts";
import { attentionCase, caseName, CASES, type CaseSizes, LONG_CASES, uploadCase } from "./attention_cases.ts";
import { assertWithin, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

/** Runs the kernel and compares with the twin, in which masked keys are exactly 0. */
async function check(sizes: CaseSizes, options: AttentionPatternOptions = {}): Promise<void> {
  using stack = new DisposableStack();
  const c = { ...attentionCase(sizes), ...(options.scale === undefined ? {} : { scale: options.scale }) };
  using pattern = attentionPattern(gpu.stream, uploadCase(gpu, c, stack), options);
  assertEquals(pattern.shape, [c.batch, c.nHeads, c.queries, c.keys]);
  const [got] = await gpu.stream.read(pattern);
  assertWithin(got, attentionTwin(c).pattern, attentionBounds(c).pattern, caseName(sizes));
}

Deno.test("attentionPattern() agrees with its twin at awkward sizes, with NaN in the room never written", async () => {
  for (const sizes of CASES) await check(sizes);
});

Deno.test("attentionPattern() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const sizes of [CASES[2]!, ...LONG_CASES]) await check(sizes);
  });
});

Deno.test("attentionPattern() folds rows over two grid dimensions and takes another scale", async () => {
  await check(CASES[2]!, { groupLimit: 7, scale: 1 });
});

Deno.test("attentionPattern() neither overflows nor vanishes at scores far from zero", async () => {
  for (const size of [1e4, -1e4]) {
    using stack = new DisposableStack();
    const c = attentionCase({ queries: 2, keys: 20, nHeads: 2, nKvHeads: 1, dHead: 8, start: [18], length: [20] });
    c.q.fill(1);
    c.k.fill(size);
    using pattern = attentionPattern(gpu.stream, uploadCase(gpu, c, stack));
    const [got] = await gpu.stream.read(pattern);
    assertWithin(got, attentionTwin(c).pattern, attentionBounds(c).pattern, `keys of ${size}`);
  }
});

Deno.test("attentionPattern() gives zeros to a sequence without keys", async () => {
  using stack = new DisposableStack();
  const c = attentionCase({ queries: 2, keys: 3, nHeads: 1, nKvHeads: 1, dHead: 4, start: [0], length: [0] });
  using pattern = attentionPattern(gpu.stream, uploadCase(gpu, c, stack));
  assertEquals([...(await gpu.stream.read(pattern))[0]], [0, 0, 0, 0, 0, 0]);
});

Deno.test("attentionPattern() writes into out, and of no queries dispatches nothing", async () => {
  using stack = new DisposableStack();
  const c = attentionCase(CASES[1]!);
  using out = gpu.tensor([2, 2, 3, 7], "out");
  assertEquals(attentionPattern(gpu.stream, uploadCase(gpu, c, stack), { out }), out);
  assertWithin((await gpu.stream.read(out))[0], attentionTwin(c).pattern, attentionBounds(c).pattern, "out");
  const none = attentionCase({ queries: 0, keys: 3, nHeads: 2, nKvHeads: 1, dHead: 4, start: [0], length: [3] });
  const before = gpu.stats().dispatches;
  using empty = attentionPattern(gpu.stream, uploadCase(gpu, none, stack));
  assertEquals([empty.shape, gpu.stats().dispatches - before], [[1, 2, 0, 3], 0]);
});

Deno.test("attentionPattern() refuses operands that do not fit", () => {
  using stack = new DisposableStack();
  const input = uploadCase(gpu, attentionCase(CASES[1]!), stack);
  using other = gpu.zeros([2, 7, 2, 4], "other");
  assertThrows(
    () => attentionPattern(gpu.stream, { ...input, k: other }),
    RangeError,
    "Cannot compute the attention pattern: k must have shape [2, 7, 2, 5], got [2, 7, 2, 4]",
  );
  assertThrows(
    () => attentionPattern(gpu.stream, { ...input, start: other }),
    TypeError,
    'Cannot compute the attention pattern: start must be u32, got "other" of f32',
  );
});

Deno.test("attentionPattern() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
