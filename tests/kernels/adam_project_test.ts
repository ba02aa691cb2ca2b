import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { adamProject } from "../../kernels/adam_project.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { adamProjectRow, normOf } from "../reference/adam.ts";
import { adamProjectBound, normError } from "./adam_bounds.ts";
import { assertWithin, normals, withGpuThreads } from "./operands.ts";
import { rowsOf } from "./softmax_bounds.ts";

const gpu = await Gpu.open();
const ADAM = { lr: 0.3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** What a search holds on the GPU, and how to read it. */
class Search implements Disposable {
  readonly #stack = new DisposableStack();
  readonly shape: readonly [number, number];
  readonly x;
  readonly m;
  readonly v;
  readonly state;

  constructor(x: Float32Array<ArrayBuffer>, shape: readonly [number, number], stopped = 0) {
    this.shape = shape;
    this.x = this.#stack.use(gpu.upload(x, shape, "x"));
    this.m = this.#stack.use(gpu.zeros(shape, "m"));
    this.v = this.#stack.use(gpu.zeros(shape, "v"));
    this.state = this.#stack.use(gpu.upload(Uint32Array.of(stopped, 7, 7, 7), [4], "state"));
  }

  /** Takes one step and returns x, m and v after it. */
  async step(
    slope: Float32Array<ArrayBuffer>,
    limits: Float32Array<ArrayBuffer>,
    step: number,
    groupLimit?: number,
  ): Promise<Float32Array[]> {
    using gradient = gpu.upload(slope, this.shape, "gradient");
    using limit = gpu.upload(limits, [this.shape[0]], "limit");
    const { x, m, v, state } = this;
    adamProject(gpu.stream, { x, gradient, m, v, limit, state }, { ...ADAM, step, groupLimit });
    return await gpu.stream.read(x, m, v) as Float32Array[];
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Takes three steps on [rows, width], each compared with the twin from what the step before left on the GPU. */
async function check(rows: number, width: number, groupLimit?: number): Promise<void> {
  const first = normals("x", rows * width);
  using search = new Search(first, [rows, width]);
  // Limits below, around and above the norm of a row.
  const limits = Float32Array.from({ length: rows }, (_, r) => Math.sqrt(width) * (0.25 + r));
  let past: Float32Array[] = [first, new Float32Array(rows * width), new Float32Array(rows * width)];
  for (let step = 1; step <= 3; step++) {
    const slope = normals(`gradient ${step}`, rows * width, 0.5);
    const got = await search.step(slope, limits, step, groupLimit);
    const [gotRows, [x, m, v]] = [got.map((all) => rowsOf(all, width)), past.map((all) => rowsOf(all, width))];
    rowsOf(slope, width).forEach((g, r) => {
      const operands = [x![r]!, g, m![r]!, v![r]!, limits[r]!, { ...ADAM, step }] as const;
      const [want, bound] = [adamProjectRow(...operands), adamProjectBound(...operands)];
      const name = `row ${r} of ${rows} x ${width}, step ${step}`;
      assertWithin(gotRows[0]![r]!, want.x, bound.x, `x, ${name}`);
      assertWithin(gotRows[1]![r]!, want.m, bound.m, `m, ${name}`);
      assertWithin(gotRows[2]![r]!, want.v, bound.v, `v, ${name}`);
    });
    past = got;
  }
}

Deno.test("adamProject() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [4, 7], [5, 8], [4, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("adamProject() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[4, 63], [4, 65], [4, 2049]] as const) await check(rows, width);
  });
});

Deno.test("adamProject() folds rows over two grid dimensions", async () => {
  await check(7, 5, 3);
});

Deno.test("adamProject() first moves each element by about the learning rate against its gradient", async () => {
  const slope = Float32Array.of(1e-3, -5, 1e4, 0);
  const zeros = new Float32Array(4);
  using search = new Search(zeros, [1, 4]);
  const [x] = await search.step(slope, Float32Array.of(10), 1);
  const want = Array.from(slope, (g) => -ADAM.lr * g / (Math.abs(g) + ADAM.epsilon));
  assertWithin(x!, want, adamProjectBound(zeros, slope, zeros, zeros, 10, { ...ADAM, step: 1 }).x, "x");
});

Deno.test("adamProject() keeps the direction of a row that it shortens", async () => {
  using search = new Search(Float32Array.of(30, 40), [1, 2]);
  const [x] = await search.step(new Float32Array(2), Float32Array.of(5), 1);
  assertWithin(x!, [3, 4], [3, 4].map((v) => 2 * v * normError(2)), "x");
  assertLess(Math.abs(normOf(x!) - 5), 10 * normError(2));
});

Deno.test("adamProject() brings a row of limit 0 to zero", async () => {
  using search = new Search(normals("x", 5), [1, 5]);
  const [x] = await search.step(normals("gradient", 5), new Float32Array(1), 1);
  assertEquals(Array.from(x!, Math.abs), new Array(5).fill(0));
});

Deno.test("adamProject() changes nothing once the state says stopped", async () => {
  const before = normals("x", 10);
  using search = new Search(before, [2, 5], 1);
  const [x, m, v] = await search.step(normals("gradient", 10), Float32Array.of(0.1, 0.1), 1);
  assertEquals([x, m, v], [before, new Float32Array(10), new Float32Array(10)]);
});

Deno.test("adamProject() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  using gradient = gpu.tensor([0, 4], "gradient");
  using m = gpu.tensor([0, 4], "m");
  using v = gpu.tensor([0, 4], "v");
  using limit = gpu.tensor([0], "limit");
  using state = gpu.zeros([4], "state", "u32");
  const before = gpu.stats().dispatches;
  adamProject(gpu.stream, { x, gradient, m, v, limit, state }, { ...ADAM, step: 1 });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("adamProject() refuses a step before the first, operands that do not fit, and one tensor twice", () => {
  using search = new Search(normals("x", 6), [2, 3]);
  using gradient = gpu.upload(normals("gradient", 6), [2, 3], "gradient");
  using limit = gpu.upload(Float32Array.of(1, 1), [2], "limit");
  const { x, m, v, state } = search;
  const operands = { x, gradient, m, v, limit, state };
  assertThrows(
    () => adamProject(gpu.stream, operands, { ...ADAM, step: 0 }),
    RangeError,
    "Cannot take an Adam step: step must be an integer from 1 up, got 0",
  );
  assertThrows(
    () => adamProject(gpu.stream, { ...operands, gradient: limit }, { ...ADAM, step: 1 }),
    RangeError,
    "Cannot take an Adam step: gradient must have 6 elements, got 2 in [2]",
  );
  assertThrows(
    () => adamProject(gpu.stream, { ...operands, gradient: x }, { ...ADAM, step: 1 }),
    TypeError,
    'Cannot take an Adam step: x shares its buffer with operand "x"',
  );
});

Deno.test("adamProject() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
