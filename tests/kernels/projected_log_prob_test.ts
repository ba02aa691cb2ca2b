import { assertEquals, assertThrows } from "@std/assert";
import { projectedLogProb, type ProjectedLogProbVariant } from "../../kernels/projected_log_prob.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { matmul } from "../reference/matmul.ts";
import { logSoftmaxRow } from "../reference/softmax.ts";
import { assertWithin, dirtyPool, normals, PACKED_WIDTHS, UNIT, uploadWeight, type WeightDtype } from "./operands.ts";
import { logSoftmaxBound } from "./softmax_bounds.ts";

const gpu = await Gpu.open();
/** Shader of each variant that runs here. */
const SHADERS = ([["tile", "projected_log_prob"], ["subgroup", "projected_log_prob_subgroup"]] as const)
  .filter(([variant]) => variant === "tile" || gpu.subgroupSize === 8);

/** How a case departs from f32 without bias. */
interface Case {
  variant?: ProjectedLogProbVariant;
  dtype?: WeightDtype;
  bias?: "f32" | "f16" | "bf16";
  groupLimit?: number;
  /** Device. Default: one whose bindings hold the whole weight. */
  device?: Gpu;
  /** Factor of the rows, which sharpens the distribution. */
  scale?: number;
}

/** Runs the kernel and compares every row with products and log-softmax in float64. */
async function check(
  [rows, inner, cols]: readonly [rows: number, inner: number, cols: number],
  options: Case = {},
): Promise<void> {
  const device = options.device ?? gpu;
  dirtyPool(device);
  const aData = normals("a", rows * inner, 0, options.scale ?? 1);
  const weight = uploadWeight(device, normals("b", cols * inner), [cols, inner], options.dtype ?? "f32");
  const shift = options.bias ? uploadWeight(device, normals("bias", cols), [cols], options.bias) : undefined;
  using b = weight.tensor;
  using stack = new DisposableStack();
  const bias = shift ? stack.use(shift.tensor) : undefined;
  using a = device.upload(aData, [rows, inner], "a");
  // First, last and others: every slice is wanted by some row.
  const tokens = Uint32Array.from(
    { length: rows },
    (_, r) => r % 2 === 0 ? cols - 1 - (r * 509) % cols : (r * 257) % cols,
  );
  using token = device.upload(tokens, [rows], "token", "u32");
  const { variant, groupLimit } = options;
  using found = projectedLogProb(device.stream, { a, b, bias, token }, { variant, groupLimit });
  assertEquals(found.shape, [rows]);
  const [got] = await device.stream.read(found);
  const sizes = { layout: "nt", rows, cols, inner } as const;
  const products = matmul(sizes, aData, weight.values);
  const magnitudes = matmul(sizes, aData.map(Math.abs), weight.values.map(Math.abs));
  const want = new Float64Array(rows);
  const bound = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const logits = products.slice(r * cols, (r + 1) * cols).map((v, c) => v + (shift?.values[c] ?? 0));
    want[r] = logSoftmaxRow(logits)[tokens[r]!]!;
    // The worst error of a logit moves the normaliser by as much, and the wanted logit once more.
    const worst = magnitudes.subarray(r * cols, (r + 1) * cols)
      .reduce((most, sum, c) => Math.max(most, (inner + 3) * UNIT * (sum + Math.abs(shift?.values[c] ?? 0))), 0);
    // Two sums of exponentials one after the other, over a slice and over slices.
    bound[r] = 2 * worst + 2 * logSoftmaxBound(logits)[tokens[r]!]!;
  }
  assertWithin(got, want, bound, `${rows} x ${inner} x ${cols} ${JSON.stringify({ ...options, device: undefined })}`);
}

for (const [variant, shader] of SHADERS) {
  // The subgroup variant takes whole octets.
  const width = (inner: number): number => variant === "subgroup" ? 8 * Math.ceil(inner / 8) : inner;

  Deno.test(`${shader} takes all columns of rows so wide that a slice of them is looped over long`, async () => {
    await check([2, 8192, 600], { variant, scale: 0.02 });
  });

  Deno.test(`${shader} agrees with its twin where blocks of 64 x 64 are enough for a GPU`, async () => {
    await check([40, 8, 131_000], { variant });
  });

  Deno.test(`${shader} agrees with its twin at one element, primes and around its blocks`, async () => {
    for (const size of [[1, 1, 1], [7, 13, 11], [15, 4, 63], [17, 5, 65], [63, 8, 31], [65, 3, 64]] as const) {
      const [rows, inner, cols] = size;
      await check([rows, width(inner), cols], { variant });
    }
  });

  Deno.test(`${shader} joins slices of columns, the last one part of a tile`, async () => {
    for (const size of [[16, 12, 511], [16, 12, 512], [5, 7, 513], [19, 16, 1031]] as const) {
      const [rows, inner, cols] = size;
      await check([rows, width(inner), cols], { variant });
    }
  });

  Deno.test(`${shader} takes every stored type with and without bias`, async () => {
    for (const dtype of ["f16", "bf16"] as const) {
      await check([9, width(20), 70], { variant, dtype, bias: dtype });
      await check([9, width(15), 7], { variant, dtype, bias: "f32" });
    }
    await check([18, width(15), 515], { variant, bias: "bf16" });
    for (const [dtype, width] of PACKED_WIDTHS) await check([9, width, 70], { variant, dtype, bias: "f32" });
  });

  Deno.test(`${shader} takes a weight by ranges of rows where one binding does not hold it`, async () => {
    using device = await Gpu.open({ maxBindingBytes: 40_000 });
    for (const dtype of ["f32", "bf16"] as const) {
      await check([10, width(13), 2077], { variant, dtype, bias: dtype, device });
    }
    await check([9, 256, 700], { variant, dtype: "q4_k", bias: "f16", device });
  });

  Deno.test(`${shader} folds its groups and stays finite where all but one term vanish`, async () => {
    await check([70, 8, 1100], { variant, groupLimit: 2 });
    await check([20, width(12), 600], { variant, scale: 60 });
  });
}

Deno.test("projectedLogProb() takes few rows as it takes many", async () => {
  for (const rows of [1, 7, 8]) await check([rows, 32, 130]);
  await check([9, 12, 70], { variant: "subgroup" });
});

Deno.test("projectedLogProb() of no rows dispatches nothing", () => {
  using a = gpu.tensor([0, 4], "a");
  using b = gpu.tensor([3, 4], "b");
  using token = gpu.tensor([0], "token", "u32");
  const before = gpu.stats().dispatches;
  using found = projectedLogProb(gpu.stream, { a, b, token });
  assertEquals([found.shape, gpu.stats().dispatches - before], [[0], 0]);
});

Deno.test("projectedLogProb() refuses operands that do not fit", () => {
  using a = gpu.tensor([2, 4], "a");
  using b = gpu.tensor([3, 4], "b");
  using narrow = gpu.tensor([3, 5], "narrow");
  using none = gpu.tensor([0, 4], "none");
  using token = gpu.tensor([2], "token", "u32");
  using one = gpu.tensor([1], "one", "u32");
  const action = "Cannot compute projected log-probabilities";
  const call = (input: Parameters<typeof projectedLogProb>[1]) => () => projectedLogProb(gpu.stream, input);
  assertThrows(call({ a, b: narrow, token }), RangeError, `${action}: b must have shape [at least 1, 4], got [3, 5]`);
  assertThrows(call({ a, b: none, token }), RangeError, `${action}: b must have shape [at least 1, 4], got [0, 4]`);
  assertThrows(call({ a, b, token: one }), RangeError, `${action}: token must have 2 elements, got 1 in [1]`);
  assertThrows(call({ a, b, token, bias: one }), TypeError, `${action}: bias must be f32, f16 or bf16`);
});

Deno.test("projectedLogProb() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
