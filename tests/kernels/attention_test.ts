import { assert, assertEquals, assertThrows } from "@std/assert";
import { attention, type AttentionOutput } from "../../kernels/attention.ts";
import type { AttentionOptions } from "../../kernels/attention_sizes.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { attentionTwin } from "../reference/attention.ts";
import { attentionBounds } from "./attention_bounds.ts";
import { attentionCase, caseName, CASES, type CaseSizes, LONG_CASES, uploadCase } from "./attention_cases.ts";
import { assertWithin, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const plain = await Gpu.open({ without: ["subgroups"] });

/** Runs the kernel and compares with the twin; returns its variant. */
async function check(on: Gpu, sizes: CaseSizes, options: AttentionOptions = {}): Promise<string> {
  using stack = new DisposableStack();
  const c = { ...attentionCase(sizes), ...(options.scale === undefined ? {} : { scale: options.scale }) };
  const input = uploadCase(on, c, stack);
  let out: AttentionOutput | undefined;
  let variant = "";
  on.stream.observe((name) => variant = name, () => out = attention(on.stream, input, options));
  const { z, logSumExp } = out!;
  stack.use(z);
  stack.use(logSumExp);
  assertEquals([z.shape, logSumExp.shape], [input.q.shape, [c.batch, c.nHeads, c.queries]]);
  const [gotZ, gotLogSumExp] = await on.stream.read(z, logSumExp);
  const [want, bounds] = [attentionTwin(c), attentionBounds(c)];
  assertWithin(gotZ, want.z, bounds.z, `z of ${caseName(sizes)}`);
  assertWithin(gotLogSumExp, want.logSumExp, bounds.logSumExp, `logSumExp of ${caseName(sizes)}`);
  return variant.replace(/\(.*/, "");
}

Deno.test("attention() agrees with its twin at awkward sizes, with NaN in the room that was never written", async () => {
  for (const sizes of [...CASES, ...LONG_CASES]) {
    const variant = await check(gpu, sizes);
    const subgroups = gpu.sharing.way === "broadcast" && sizes.dHead % 4 === 0;
    assertEquals(variant, subgroups ? "attention_subgroup" : "attention", caseName(sizes));
  }
});

Deno.test("attention() agrees with its twin without subgroups", async () => {
  for (const sizes of CASES) assertEquals(await check(plain, sizes), "attention");
});

Deno.test("attention() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(plain, async () => {
    for (const sizes of [CASES[2]!, CASES[10]!, ...LONG_CASES]) await check(plain, sizes);
  });
});

Deno.test("attention() sees all of more keys than few threads may loop over", async () => {
  const one = { queries: 1, nHeads: 1, nKvHeads: 1, start: [0], length: [0] };
  const many = (keys: number, dHead: number): CaseSizes => ({ ...one, keys, dHead, start: [keys - 1], length: [keys] });
  for (const sizes of [many(1500, 254), many(5000, 512)]) {
    for (const on of [gpu, plain]) assertEquals(await check(on, sizes), "attention");
  }
});

Deno.test("attention() folds workgroups over two grid dimensions", async () => {
  for (const on of [gpu, plain]) await check(on, CASES[2]!, { groupLimit: 4 });
});

Deno.test("attention() takes another scale", async () => {
  for (const on of [gpu, plain]) await check(on, CASES[2]!, { scale: 1 });
});

Deno.test("attention() neither overflows nor vanishes at scores far from zero", async () => {
  const sizes = { queries: 2, keys: 20, nHeads: 2, nKvHeads: 1, dHead: 8, start: [18], length: [20] };
  for (const on of [gpu, plain]) {
    for (const size of [1e4, -1e4]) {
      using stack = new DisposableStack();
      const c = attentionCase(sizes);
      c.q.fill(1);
      c.k.fill(size);
      const { z, logSumExp } = attention(on.stream, uploadCase(on, c, stack));
      stack.use(z);
      stack.use(logSumExp);
      const [got] = await on.stream.read(z);
      assertWithin(got, attentionTwin(c).z, attentionBounds(c).z, `keys of ${size}`);
    }
  }
});

Deno.test("attention() gives zeros and a finite logSumExp to a sequence without keys", async () => {
  for (const on of [gpu, plain]) {
    using stack = new DisposableStack();
    const c = attentionCase({ queries: 2, keys: 3, nHeads: 1, nKvHeads: 1, dHead: 4, start: [0], length: [0] });
    const { z, logSumExp } = attention(on.stream, uploadCase(on, c, stack));
    stack.use(z);
    stack.use(logSumExp);
    const [gotZ, gotLogSumExp] = await on.stream.read(z, logSumExp);
    assertEquals(Array.from(gotZ, Math.abs), new Array(8).fill(0));
    assert(gotLogSumExp.every(Number.isFinite), `${gotLogSumExp}`);
  }
});

Deno.test("attention() repeats bit for bit", async () => {
  for (const on of [gpu, plain]) {
    using stack = new DisposableStack();
    const input = uploadCase(on, attentionCase(CASES[8]!), stack);
    const [first, second] = [attention(on.stream, input), attention(on.stream, input)];
    for (const { z, logSumExp } of [first, second]) {
      stack.use(z);
      stack.use(logSumExp);
    }
    const [a, b, c, d] = await on.stream.read(first.z, second.z, first.logSumExp, second.logSumExp);
    assertEquals([new Uint32Array(a.buffer), new Uint32Array(c.buffer)], [
      new Uint32Array(b.buffer),
      new Uint32Array(d.buffer),
    ]);
  }
});

Deno.test("attention() of no queries dispatches nothing", () => {
  using stack = new DisposableStack();
  const c = attentionCase({ queries: 0, keys: 3, nHeads: 2, nKvHeads: 1, dHead: 4, start: [0], length: [3] });
  const input = uploadCase(gpu, c, stack);
  const before = gpu.stats().dispatches;
  const { z, logSumExp } = attention(gpu.stream, input);
  stack.use(z);
  stack.use(logSumExp);
  assertEquals([z.shape, logSumExp.shape, gpu.stats().dispatches - before], [[1, 0, 2, 4], [1, 2, 0], 0]);
});

Deno.test("attention() refuses operands that do not fit", () => {
  using stack = new DisposableStack();
  const input = uploadCase(gpu, attentionCase(CASES[2]!), stack);
  const make = (...shape: number[]) => stack.use(gpu.zeros(shape, "zeros"));
  const refusals = [
    [{ q: make(3, 5, 72) }, "q must have shape [batch, pos, heads, dHead], got [3, 5, 72]"],
    [{ k: make(3, 11, 2, 8) }, "k must have shape [3, 11, 2, 12], got [3, 11, 2, 8]"],
    [{ v: make(3, 10, 2, 12) }, "v must have shape [3, 11, 2, 12], got [3, 10, 2, 12]"],
    [{ k: make(3, 11, 4, 12) }, "the number of query heads must be a multiple of the number of key heads, got 6 and 4"],
    [{ start: stack.use(gpu.tensor([2], "two", "u32")) }, "start must have shape [3], got [2]"],
    [
      { q: make(3, 5, 2, 1025), k: make(3, 11, 2, 1025) },
      "heads of 1025 elements are too wide, wanted at most 1024",
    ],
  ] as const;
  for (const [wrong, message] of refusals) {
    assertThrows(() => attention(gpu.stream, { ...input, ...wrong }), RangeError, `Cannot attend: ${message}`);
  }
  assertThrows(
    () => attention(gpu.stream, { ...input, length: make(3) }),
    TypeError,
    'Cannot attend: length must be u32, got "zeros" of f32',
  );
});

Deno.test("attention() leaves no memory behind", () => {
  assertEquals([gpu.memory().live, plain.memory().live], [0, 0]);
  gpu.close();
  plain.close();
});
