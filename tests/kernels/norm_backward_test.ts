import { assertEquals, assertThrows } from "@std/assert";
import { layerNormBackward, rmsNormBackward } from "../../kernels/norm_backward.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { normRow, normRowBackward } from "../reference/norms.ts";
import { normBackwardBound } from "./norm_bounds.ts";
import { assertWithin, normals, uploadWeight, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const EPS = Math.fround(1e-5);

/** Both norms: the function, its name, what its errors call it, and whether it centres. */
const NORMS = [
  { backward: layerNormBackward, name: "layerNormBackward()", norm: "layer norm", centred: true },
  { backward: rmsNormBackward, name: "rmsNormBackward()", norm: "RMS norm", centred: false },
] as const;

/** Runs the kernel on [rows, width] and compares every row with the twin. */
async function check(
  { backward, centred }: typeof NORMS[number],
  rows: number,
  width: number,
  options: { dtype?: "f32" | "f16" | "bf16"; residual?: boolean; groupLimit?: number } = {},
): Promise<void> {
  const { dtype = "f32", residual = false, groupLimit } = options;
  const data = normals("x", rows * width, 0.5, 2);
  const slope = normals("dy", rows * width);
  const past = residual ? normals("add", rows * width) : new Float32Array(rows * width);
  const weight = uploadWeight(gpu, normals("weight", width, 1, 0.2), [width], dtype);
  using weightTensor = weight.tensor;
  using x = gpu.upload(data, [rows, width], "x");
  using dy = gpu.upload(slope, [rows, width], "dy");
  using add = gpu.upload(past, [rows, width], "add");
  const input = { dy, x, weight: weightTensor, add: residual ? add : undefined };
  using dx = backward(gpu.stream, input, { eps: EPS, groupLimit });
  const [got] = await gpu.stream.read(dx);
  for (let r = 0; r < rows; r++) {
    const part = [r * width, (r + 1) * width] as const;
    const [xr, dyr, addr] = [data.subarray(...part), slope.subarray(...part), past.subarray(...part)];
    const want = normRowBackward(dyr, xr, weight.values, EPS, centred).map((v, i) => v + addr[i]!);
    const bound = normBackwardBound(dyr, xr, weight.values, addr, EPS, centred);
    assertWithin(got.subarray(...part), want, bound, `row ${r} of ${rows} x ${width}`);
  }
}

for (const norm of NORMS) {
  const { backward, name, norm: called, centred } = norm;

  Deno.test(`${name} agrees with its twin at one element, primes and around the number of threads`, async () => {
    for (const [rows, width] of [[1, 1], [3, 7], [2, 8], [5, 9], [1, 1031]] as const) await check(norm, rows, width);
  });

  Deno.test(`${name} agrees with its twin with the thread counts of a GPU`, async () => {
    await withGpuThreads(gpu, async () => {
      for (const [rows, width] of [[3, 63], [3, 65], [2, 2049]] as const) await check(norm, rows, width);
    });
  });

  Deno.test(`${name} adds the residual gradient`, async () => {
    await check(norm, 3, 7, { residual: true });
  });

  Deno.test(`${name} reads half weights of odd length`, async () => {
    await check(norm, 3, 17, { dtype: "f16" });
    await check(norm, 3, 17, { dtype: "bf16" });
  });

  Deno.test(`${name} folds rows over two grid dimensions`, async () => {
    await check(norm, 7, 5, { groupLimit: 3 });
  });

  Deno.test(`${name}'s twin is the slope of the forward twin`, () => {
    const width = 7;
    const [x, dy, weight] = [normals("x", width), normals("dy", width), normals("weight", width, 1, 0.2)];
    const loss = (at: Float64Array) =>
      normRow(at, weight, centred ? new Float64Array(width) : null, EPS).reduce((sum, v, i) => sum + v * dy[i]!, 0);
    const want = normRowBackward(dy, x, weight, EPS, centred);
    // The error of a slope is c step^2: doubling the step quadruples it, so the difference is three times that error.
    const [fine, coarse] = [centralDifference(loss, x, 1e-3), centralDifference(loss, x, 2e-3)];
    const bound = fine.map((v, i) => Math.abs(v - coarse[i]!) + 1e-11);
    assertWithin(fine, want, bound, "slope");
  });

  Deno.test(`${name} of no rows dispatches nothing`, () => {
    using x = gpu.tensor([0, 4], "x");
    using weight = gpu.upload(normals("w", 4), [4], "weight");
    const before = gpu.stats().dispatches;
    using dx = backward(gpu.stream, { dy: x, x, weight }, { eps: EPS });
    assertEquals([dx.shape, gpu.stats().dispatches - before], [[0, 4], 0]);
  });

  Deno.test(`${name} refuses gradients of another size`, () => {
    using x = gpu.upload(normals("x", 8), [2, 4], "x");
    using weight = gpu.upload(normals("w", 4), [4], "weight");
    assertThrows(
      () => backward(gpu.stream, { dy: weight, x, weight }, { eps: EPS }),
      RangeError,
      `Cannot differentiate ${called}: dy must have 8 elements, got 4 in [4]`,
    );
    assertThrows(
      () => backward(gpu.stream, { dy: x, x, weight, add: weight }, { eps: EPS }),
      RangeError,
      `Cannot differentiate ${called}: add must have 8 elements, got 4 in [4]`,
    );
  });
}

Deno.test("layerNormBackward() and rmsNormBackward() leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
