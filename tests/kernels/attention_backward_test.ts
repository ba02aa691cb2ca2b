import { assertEquals, assertThrows } from "@std/assert";
import { attentionBackward, type AttentionBackwardOutput } from "../../kernels/attention_backward.ts";
import { attentionBackwardKey } from "../../kernels/attention_backward_key.ts";
import type { AttentionOptions } from "../../kernels/attention_sizes.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { attentionBackwardTwin, attentionRows, attentionTwin, ownElement } from "../reference/attention.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { attentionBackwardBounds } from "./attention_bounds.ts";
import { attentionCase, caseName, CASES, type CaseSizes, LONG_CASES, uploadCase } from "./attention_cases.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const plain = await Gpu.open({ without: ["subgroups"] });

/** Operands of the kernel, with what the twin's forward pass gives rounded to f32. */
function upload(on: Gpu, c: ReturnType<typeof attentionCase>, dz: Float32Array<ArrayBuffer>, stack: DisposableStack) {
  const input = uploadCase(on, c, stack);
  const forward = attentionTwin(c);
  const statistics = [c.batch, c.nHeads, c.queries];
  return {
    ...input,
    dz: stack.use(on.upload(dz, input.q.shape, "dz")),
    z: stack.use(on.upload(Float32Array.from(forward.z), input.q.shape, "z")),
    logSumExp: stack.use(on.upload(Float32Array.from(forward.logSumExp), statistics, "logSumExp")),
  };
}

/** Runs the kernels and compares with the twin; returns their variants. */
async function check(on: Gpu, sizes: CaseSizes, options: AttentionOptions = {}): Promise<string[]> {
  using stack = new DisposableStack();
  const c = { ...attentionCase(sizes), ...(options.scale === undefined ? {} : { scale: options.scale }) };
  const dz = normals("dz", c.q.length);
  const input = upload(on, c, dz, stack);
  let out: AttentionBackwardOutput | undefined;
  const variants: string[] = [];
  on.stream.observe(
    (name) => variants.push(name.replace(/\(.*/, "")),
    () => out = attentionBackward(on.stream, input, options),
  );
  const { q, k, v } = out!;
  for (const tensor of [q, k, v]) stack.use(tensor);
  const own = [c.batch, c.queries, c.nKvHeads, c.dHead];
  assertEquals([q.shape, k.shape, v.shape], [input.q.shape, own, own]);
  const [gotQ, gotK, gotV] = await on.stream.read(q, k, v);
  const [want, bounds] = [attentionBackwardTwin(c, dz), attentionBackwardBounds(c, dz)];
  assertWithin(gotQ, want.q, bounds.q, `dq of ${caseName(sizes)}`);
  assertWithin(gotK, want.k, bounds.k, `dk of ${caseName(sizes)}`);
  assertWithin(gotV, want.v, bounds.v, `dv of ${caseName(sizes)}`);
  return variants;
}

Deno.test("attentionBackward() agrees with its twin at awkward sizes, with NaN in the room never written", async () => {
  for (const sizes of [...CASES, ...LONG_CASES]) {
    const want = gpu.sharing.way === "broadcast" && sizes.dHead % 4 === 0
      ? ["attention_backward_query_subgroup", "attention_backward_key_subgroup"]
      : ["attention_backward_query", "attention_backward_key"];
    assertEquals(await check(gpu, sizes), want, caseName(sizes));
  }
});

Deno.test("attentionBackward() agrees with its twin without subgroups", async () => {
  const want = ["attention_backward_query", "attention_backward_key"];
  for (const sizes of CASES) assertEquals(await check(plain, sizes), want);
});

Deno.test("attentionBackward() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(plain, async () => {
    for (const sizes of [CASES[2]!, CASES[10]!, ...LONG_CASES]) await check(plain, sizes);
  });
});

Deno.test("attentionBackward() adds what more queries than few threads may loop over see", async () => {
  await check(plain, { queries: 240, keys: 240, nHeads: 6, nKvHeads: 1, dHead: 510, start: [0], length: [240] });
});

Deno.test("attentionBackward() folds workgroups over two grid dimensions and takes another scale", async () => {
  for (const on of [gpu, plain]) await check(on, CASES[2]!, { groupLimit: 4, scale: 0.5 });
});

Deno.test("attentionBackward()'s twin is the slope of the mixed values, padding queries included", () => {
  const sizes = { queries: 3, keys: 6, nHeads: 4, nKvHeads: 2, dHead: 3, start: [0, 2], length: [2, 5] };
  const c = attentionCase(sizes);
  const dz = normals("dz", c.q.length);
  const want = attentionBackwardTwin(c, dz);
  for (const name of ["q", "k", "v"] as const) {
    const loss = (at: Float64Array) =>
      attentionTwin({ ...c, [name]: at }).z.reduce((sum, value, i) => sum + value * dz[i]!, 0);
    // The error of a slope is c step^2: doubling the step quadruples it, so the difference is three times that error.
    const [fine, coarse] = [1e-3, 2e-3].map((step) => centralDifference(loss, c[name], step)) as [
      Float64Array,
      Float64Array,
    ];
    const bound = fine.map((value, i) => Math.abs(value - coarse[i]!) + 1e-11);
    if (name === "q") {
      assertWithin(fine, want.q, bound, "slope of q");
      continue;
    }
    const seen = new Set<number>();
    for (const { b, seen: count, kvAt } of attentionRows(c)) {
      for (let s = 0; s < count; s++) {
        const own = ownElement(c, b, s, kvAt(s));
        if (own === null || seen.has(own)) continue;
        seen.add(own);
        const [at, part] = [kvAt(s), want[name].subarray(own, own + c.dHead)];
        const range = [at, at + c.dHead] as const;
        assertWithin(fine.subarray(...range), part, bound.subarray(...range), `slope of ${name} at key ${s} of ${b}`);
      }
    }
    // Two keys of the first sequence and three of the second lie at a query's position; each has two heads.
    assertEquals(seen.size, (2 + 3) * 2);
  }
});

Deno.test("attentionBackward() gives zeros at positions past a sequence's length", async () => {
  for (const on of [gpu, plain]) {
    using stack = new DisposableStack();
    const c = attentionCase({ queries: 4, keys: 4, nHeads: 2, nKvHeads: 1, dHead: 4, start: [0, 0], length: [2, 0] });
    const { q, k, v } = attentionBackward(on.stream, upload(on, c, normals("dz", c.q.length), stack));
    for (const tensor of [q, k, v]) stack.use(tensor);
    const [gotQ, gotK, gotV] = await on.stream.read(q, k, v);
    for (const past of [gotQ.subarray(32), gotK.subarray(8), gotV.subarray(8)]) {
      assertEquals(Array.from(past, Math.abs), new Array(past.length).fill(0));
    }
  }
});

Deno.test("attentionBackward() repeats bit for bit", async () => {
  for (const on of [gpu, plain]) {
    using stack = new DisposableStack();
    const c = attentionCase(CASES[8]!);
    const input = upload(on, c, normals("dz", c.q.length), stack);
    const runs = [attentionBackward(on.stream, input), attentionBackward(on.stream, input)];
    for (const { q, k, v } of runs) for (const tensor of [q, k, v]) stack.use(tensor);
    const [a, b] = await Promise.all(runs.map(({ q, k, v }) => on.stream.read(q, k, v)));
    a!.forEach((data, i) => assertEquals(new Uint32Array(data.buffer), new Uint32Array(b![i]!.buffer)));
  }
});

Deno.test("attentionBackward() of no queries dispatches nothing", () => {
  using stack = new DisposableStack();
  const c = attentionCase({ queries: 0, keys: 3, nHeads: 2, nKvHeads: 1, dHead: 4, start: [0], length: [3] });
  const input = upload(gpu, c, new Float32Array(0), stack);
  const before = gpu.stats().dispatches;
  const { q, k, v } = attentionBackward(gpu.stream, input);
  for (const tensor of [q, k, v]) stack.use(tensor);
  assertEquals([q.shape, k.shape, v.shape, gpu.stats().dispatches - before], [
    [1, 0, 2, 4],
    [1, 0, 1, 4],
    [1, 0, 1, 4],
    0,
  ]);
});

Deno.test("attentionBackward() and its parts refuse operands that do not fit", () => {
  using stack = new DisposableStack();
  const c = attentionCase(CASES[2]!);
  const input = upload(gpu, c, normals("dz", c.q.length), stack);
  const other = stack.use(gpu.zeros([3, 5, 6, 11], "other"));
  for (const name of ["dz", "z"] as const) {
    assertThrows(
      () => attentionBackward(gpu.stream, { ...input, [name]: other }),
      RangeError,
      `Cannot differentiate attention: ${name} must have shape [3, 5, 6, 12], got [3, 5, 6, 11]`,
    );
  }
  assertThrows(
    () => attentionBackward(gpu.stream, { ...input, logSumExp: other }),
    RangeError,
    "Cannot differentiate attention: logSumExp must have shape [3, 6, 5], got [3, 5, 6, 11]",
  );
  assertThrows(
    () => attentionBackwardKey(gpu.stream, { ...input, delta: other }),
    RangeError,
    "Cannot differentiate attention: delta must have shape [3, 6, 5], got [3, 5, 6, 11]",
  );
});

Deno.test("attentionBackward() leaves no memory behind", () => {
  assertEquals([gpu.memory().live, plain.memory().live], [0, 0]);
  gpu.close();
  plain.close();
});
