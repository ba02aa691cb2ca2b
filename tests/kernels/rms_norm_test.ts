import { assertEquals, assertThrows } from "@std/assert";
import { rmsNorm } from "../../kernels/rms_norm.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { normRow } from "../reference/norms.ts";
import { normBound } from "./norm_bounds.ts";
import { assertWithin, normals, shadersOf, uploadWeight, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const EPS = Math.fround(1e-6);

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(
  rows: number,
  width: number,
  options: { dtype?: "f32" | "f16" | "bf16"; groupLimit?: number } = {},
): Promise<void> {
  const data = normals("x", rows * width, 0.5, 3);
  const weight = uploadWeight(gpu, normals("weight", width, 1, 0.2), [width], options.dtype ?? "f32");
  using weightTensor = weight.tensor;
  using x = gpu.upload(data, [rows, width], "x");
  const input = { x, weight: weightTensor };
  using y = rmsNorm(gpu.stream, input, { eps: EPS, groupLimit: options.groupLimit });
  const [got] = await gpu.stream.read(y);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * width, (r + 1) * width);
    const want = normRow(row, weight.values, null, EPS);
    const bound = normBound(row, weight.values, null, EPS);
    assertWithin(got.subarray(r * width, (r + 1) * width), want, bound, `row ${r} of ${rows} x ${width}`);
  }
}

Deno.test("rmsNorm() agrees with its twin at one element, primes and around the number of threads", async () => {
  for (const [rows, width] of [[1, 1], [3, 7], [2, 8], [5, 9], [1, 1031]] as const) await check(rows, width);
});

Deno.test("rmsNorm() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => {
    for (const [rows, width] of [[2, 1], [3, 63], [3, 65], [2, 2049]] as const) await check(rows, width);
  });
});

Deno.test("rmsNorm() reads half weights of odd length", async () => {
  await check(3, 17, { dtype: "f16" });
  await check(3, 17, { dtype: "bf16" });
});

Deno.test("rmsNorm() agrees with its twin on four rows a subgroup, with rows and columns left over", async () => {
  for (const [rows, width] of [[4, 8], [5, 24], [7, 64], [6, 72], [9, 1032]] as const) await check(rows, width);
  for (const dtype of ["f16", "bf16"] as const) await check(5, 40, { dtype });
  await check(26, 8, { groupLimit: 3 });
});

Deno.test("rmsNorm() agrees with its twin where rows stay in registers, a quarter to all of them", async () => {
  for (const [rows, width] of [[4, 256], [5, 512], [6, 768], [7, 1024]] as const) await check(rows, width);
  for (const dtype of ["f16", "bf16"] as const) await check(5, 256, { dtype });
  await check(9, 256, { groupLimit: 2 });
});

Deno.test("rmsNorm() takes a shader of subgroups for four rows or more of whole octets", () => {
  const shaders = ([[4, 8], [4, 768], [4, 1280], [3, 256], [4, 12]] as const).map(([rows, width]) => {
    using x = gpu.zeros([rows, width], "x");
    using weight = gpu.zeros([width], "weight");
    return shadersOf(gpu, () => rmsNorm(gpu.stream, { x, weight }, { eps: EPS })[Symbol.dispose]())[0];
  });
  const broadcasts = gpu.sharing.way === "broadcast";
  const [loaded, kept] = broadcasts ? ["rms_norm_subgroup", "rms_norm_kept"] : ["rms_norm", "rms_norm"];
  assertEquals(shaders, [loaded, kept, loaded, "rms_norm", "rms_norm"]);
});

Deno.test("rmsNorm() folds rows over two grid dimensions", async () => {
  await check(7, 5, { groupLimit: 3 });
});

Deno.test("rmsNorm() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 4], "x");
  using weight = gpu.upload(normals("w", 4), [4], "weight");
  const before = gpu.stats().dispatches;
  using y = rmsNorm(gpu.stream, { x, weight }, { eps: EPS });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
});

Deno.test("rmsNorm() refuses a weight of another width and an output of another size", () => {
  using x = gpu.upload(normals("x", 8), [2, 4], "x");
  using weight = gpu.upload(normals("w", 4), [4], "weight");
  using short = gpu.upload(normals("w", 3), [3], "short");
  assertThrows(
    () => rmsNorm(gpu.stream, { x, weight: short }, { eps: EPS }),
    RangeError,
    "Cannot rms-normalise: weight must have shape [4], got [3]",
  );
  assertThrows(
    () => rmsNorm(gpu.stream, { x, weight }, { eps: EPS, out: short }),
    RangeError,
    "Cannot rms-normalise: out must have 8 elements, got 3 in [3]",
  );
});

Deno.test("rmsNorm() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
