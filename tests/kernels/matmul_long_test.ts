import { assertEquals } from "@std/assert";
import { matmulNn } from "../../kernels/matmul_nn.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import type { MatmulLayout, MatmulVariant } from "../../kernels/matmul_problem.ts";
import { matmulTn } from "../../kernels/matmul_tn.ts";
import { rankK } from "../../kernels/rank_k.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { matmul } from "../reference/matmul.ts";
import { assertWithin, normals, UNIT, uploadWeight, type WeightDtype } from "./operands.ts";

const gpu = await Gpu.open();

/** Variants that this device runs, each with sums that take several launches on it. */
const LONG: [variant: MatmulVariant, inners: number[]][] = [
  ["naive", [70_000, 151_936]],
  ["tile", [500_001, 600_000]],
  ["register", [300_001]],
  ...(gpu.subgroupSize === 8
    ? [["subgroup", [300_001, 600_000]], ["matvec", [300_001, 300_032]]] as [MatmulVariant, number[]][]
    : []),
];

const LAYOUTS: readonly MatmulLayout[] = ["nt", "nn", "tn"];

/** Whole numbers from -2 to 2 in an order without a short period: sums of 4,000,000 products of them are exact in f32. */
function whole(length: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => ((i + seed) * (i + 3) % 7919) % 5 - 2);
}

/** Checks one product of whole numbers, bias and earlier output included, without any tolerance. */
async function checkExactly(
  variant: MatmulVariant,
  layout: MatmulLayout,
  [rows, inner, cols]: readonly [number, number, number],
  dtype: WeightDtype = "f32",
): Promise<void> {
  const aData = whole(rows * inner, 1);
  const bData = whole(inner * cols, 2);
  const weight = uploadWeight(gpu, bData, layout === "nt" ? [cols, inner] : [inner, cols], dtype);
  using b = weight.tensor;
  using a = gpu.upload(aData, layout === "tn" ? [inner, rows] : [rows, inner], "a");
  using out = gpu.upload(whole(rows * cols, 3), [rows, cols], "out");
  using bias = gpu.upload(whole(cols, 4), [cols], "bias");
  const before = whole(rows * cols, 3);
  const shift = layout === "tn" ? new Float32Array(cols) : whole(cols, 4);
  const options = { variant, out, accumulate: true };
  if (layout === "nt") matmulNt(gpu.stream, { a, b, bias }, options);
  else if (layout === "nn") matmulNn(gpu.stream, { a, b, bias }, options);
  else matmulTn(gpu.stream, { a, b }, options);
  const [got] = await gpu.stream.read(out);
  const sums = matmul({ layout, rows, cols, inner }, aData, bData);
  const want = sums.map((sum, i) => sum + before[i]! + shift[i % cols]!);
  assertEquals([...got!], [...want], `${variant} ${layout} ${rows} x ${inner} x ${cols} ${dtype}`);
}

for (const [variant, inners] of LONG) {
  Deno.test(`matmul with variant ${variant} adds all terms of sums that one launch may not loop over`, async () => {
    for (const layout of variant === "matvec" ? ["nt"] as const : LAYOUTS) {
      for (const inner of inners) await checkExactly(variant, layout, [3, inner, 5]);
    }
    await checkExactly(variant, "nt", [8, inners.at(-1)!, 8]);
    await checkExactly(variant, "nt", [2, inners.at(-1)!, 4], "bf16");
  });

  Deno.test(`matmul with variant ${variant} adds all terms of such sums with a packed weight`, async () => {
    for (const dtype of ["q4_0", "q6_k"] as const) {
      const inner = 256 * Math.ceil(Math.max(151_936, inners[0]!) / 256);
      const [rows, cols] = [3, 5];
      // Few terms are not zero, so that rounding hides none that is left out; they stand before and after every seam.
      const places = Array.from({ length: inner / 256 >> 3 }, (_, i) => 2048 * (i + 1)).flatMap((at) => [at - 1, at]);
      const a = new Float32Array(rows * inner);
      for (let r = 0; r < rows; r++) {
        normals(`row ${r}`, places.length).forEach((value, i) => a[r * inner + places[i]!] = value);
      }
      const weight = uploadWeight(gpu, new Float32Array(cols * inner), [cols, inner], dtype);
      using b = weight.tensor;
      using left = gpu.upload(a, [rows, inner], "a");
      using y = matmulNt(gpu.stream, { a: left, b }, { variant });
      const [got] = await gpu.stream.read(y);
      const sizes = { layout: "nt", rows, cols, inner } as const;
      const magnitude = matmul(sizes, a.map(Math.abs), weight.values.map(Math.abs));
      const bound = magnitude.map((sum) => 2 * (places.length + 3) * UNIT * sum);
      assertWithin(got!, matmul(sizes, a, weight.values), bound, `${variant} ${inner} ${dtype}`);
    }
  });

  if (variant === "matvec") continue;
  Deno.test(`rankK() with variant ${variant} scales and mirrors such sums, each term once`, async () => {
    const n = 5;
    for (const inner of inners) {
      const x = whole(inner * n, 5);
      using rows = gpu.upload(x, [inner, n], "x");
      using into = gpu.upload(new Float32Array(n * n).fill(3), [n, n], "into");
      rankK(gpu.stream, { x: rows, into }, { scale: 0.5, variant });
      const [got] = await gpu.stream.read(into);
      const sums = matmul({ layout: "tn", rows: n, cols: n, inner }, x, x);
      assertEquals([...got!], [...sums.map((sum) => 3 + sum / 2)], `${variant} ${inner}`);
    }
  });
}

Deno.test("long products leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
