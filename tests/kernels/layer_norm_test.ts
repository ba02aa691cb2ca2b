import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { layerNorm } from "../../kernels/layer_norm.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { normRow } from "../reference/norms.ts";
import { normBound } from "./norm_bounds.ts";
import { assertWithin, normals, shadersOf, uploadWeight, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const EPS = Math.fround(1e-5);

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(
  rows: number,
  width: number,
  options: { dtype?: "f32" | "f16" | "bf16"; mean?: number; groupLimit?: number } = {},
): Promise<void> {
  const { dtype = "f32", mean = 0.3, groupLimit } = options;
  const data = normals("x", rows * width, mean, 2);
  const weight = uploadWeight(gpu, normals("weight", width, 1, 0.2), [width], dtype);
  const bias = uploadWeight(gpu, normals("bias", width), [width], dtype === "f16" ? "f32" : dtype);
  using weightTensor = weight.tensor;
  using biasTensor = bias.tensor;
  using x = gpu.upload(data, [rows, width], "x");
  using y = layerNorm(gpu.stream, { x, weight: weightTensor, bias: biasTensor }, { eps: EPS, groupLimit });
  const [got] = await gpu.stream.read(y);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * width, (r + 1) * width);
    const want = normRow(row, weight.values, bias.values, EPS);
    const bound = normBound(row, weight.values, bias.values, EPS);
    assertWithin(got.subarray(r * width, (r + 1) * width), want, bound, `row ${r} of ${rows} x ${width}`);
  }
}

Deno.test("layerNorm() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [3, 7], [2, 8], [5, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("layerNorm() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[2, 1], [3, 63], [3, 64], [3, 65], [2, 2049]] as const) await check(rows, width);
  });
});

Deno.test("layerNorm() reads half weights of odd length", async () => {
  await check(3, 17, { dtype: "f16" });
  await check(3, 17, { dtype: "bf16" });
});

Deno.test("layerNorm() agrees with its twin on four rows a subgroup, with rows and columns left over", async () => {
  for (const [rows, width] of [[4, 8], [5, 24], [7, 64], [6, 72], [9, 1032]] as const) await check(rows, width);
  for (const dtype of ["f16", "bf16"] as const) await check(5, 40, { dtype });
  await check(5, 64, { mean: 1000 });
  await check(26, 8, { groupLimit: 3 });
});

Deno.test("layerNorm() keeps its digits where the mean is far above the deviation", async () => {
  await check(2, 64, { mean: 1000 });
});

Deno.test("layerNorm() takes the shader layer_norm_subgroup for four rows or more of whole octets", () => {
  const shaders = ([[4, 8], [3, 8], [4, 12]] as const).map(([rows, width]) => {
    using x = gpu.zeros([rows, width], "x");
    using weight = gpu.zeros([width], "weight");
    return shadersOf(gpu, () => layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS })[Symbol.dispose]())[0];
  });
  const first = gpu.sharing.way === "broadcast" ? "layer_norm_subgroup" : "layer_norm";
  assertEquals(shaders, [first, "layer_norm", "layer_norm"]);
});

Deno.test("layerNorm() folds rows over two grid dimensions", async () => {
  await check(7, 5, { groupLimit: 3 });
});

Deno.test("layerNorm() flattens leading dimensions, keeps the shape and returns the tensor given as out", () => {
  using x = gpu.upload(normals("x", 12), [2, 3, 2], "x");
  using weight = gpu.upload(normals("w", 2), [2], "weight");
  using out = gpu.tensor([2, 3, 2], "out");
  using y = layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS });
  assertEquals(y.shape, [2, 3, 2]);
  assertStrictEquals(layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS, out }), out);
});

Deno.test("layerNorm() gives the same bits each time", async () => {
  using x = gpu.upload(normals("x", 4 * 129), [4, 129], "x");
  using weight = gpu.upload(normals("w", 129), [129], "weight");
  using first = layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS });
  using second = layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS });
  const [a, b] = await gpu.stream.read(first, second);
  assertEquals(a, b);
});

Deno.test("layerNorm() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  using weight = gpu.upload(normals("w", 4), [4], "weight");
  const before = gpu.stats().dispatches;
  using y = layerNorm(gpu.stream, { x, weight, bias: weight }, { eps: EPS });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("layerNorm() refuses weights of another width, index tensors and its own input as output", () => {
  using x = gpu.upload(normals("x", 8), [2, 4], "x");
  using weight = gpu.upload(normals("w", 4), [4], "weight");
  using short = gpu.upload(normals("w", 3), [3], "short");
  using ids = gpu.upload(new Uint32Array(4), [4], "ids");
  const stream = gpu.stream;
  assertThrows(
    () => layerNorm(stream, { x, weight: short, bias: weight }, { eps: EPS }),
    RangeError,
    "Cannot layer-normalise: weight must have shape [4], got [3]",
  );
  assertThrows(
    () => layerNorm(stream, { x, weight, bias: ids }, { eps: EPS }),
    TypeError,
    'Cannot layer-normalise: bias must be f32, f16 or bf16, got "ids" of u32',
  );
  assertThrows(
    () => layerNorm(stream, { x, weight, bias: weight }, { eps: EPS, out: x }),
    TypeError,
    'Cannot layer-normalise: out shares its buffer with operand "x". Write to another tensor',
  );
});

Deno.test("layerNorm() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
