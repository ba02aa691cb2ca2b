import { assert, assertEquals, assertThrows } from "@std/assert";
import { embedding } from "../../kernels/embedding.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct, checkRankK } from "./matmul_cases.ts";
import { PACKED_WIDTHS } from "./operands.ts";

const gpu = await Gpu.open({ maxBindingBytes: 40_000 });
const variants = ["register", "tile", "naive", ...(gpu.subgroupSize === 8 ? ["subgroup"] as const : [])] as const;

Deno.test("matmulNt() reads a weight that no binding holds by ranges of rows, with every variant", async () => {
  for (const variant of variants) {
    await checkProduct(gpu, "nt", [9, 32, 701], { variant, bias: "f32" });
    await checkProduct(gpu, "nt", [3, 33, 300], { variant, accumulate: true, dtype: "f32" });
    await checkProduct(gpu, "nt", [9, 64, 1001], { variant, dtype: "bf16", bias: "bf16" });
  }
  await checkProduct(gpu, "nt", [1, 32, 701], { bias: "f32" });
});

Deno.test("matmulNt() reads a last range of one short row, with every variant", async () => {
  using narrow = await Gpu.open({ maxBindingBytes: 16_384 });
  using sideBySide = await Gpu.open({ maxBindingBytes: 16_384, traits: { threadCost: 1, broadcastCost: null } });
  for (const variant of variants) await checkProduct(narrow, "nt", [3, 8, 1025], { variant, dtype: "bf16" });
  await checkProduct(narrow, "nt", [1, 8, 1025], { dtype: "f16" });
  await checkProduct(sideBySide, "nt", [1, 8, 1025], { dtype: "f16", bias: "f16" });
});

Deno.test("matmulNn() adds up the ranges of a weight that no binding holds, with every variant", async () => {
  for (const variant of variants) {
    await checkProduct(gpu, "nn", [9, 701, 32], { variant, bias: "f32" });
    await checkProduct(gpu, "nn", [3, 300, 33], { variant, accumulate: true });
    await checkProduct(gpu, "nn", [9, 1001, 64], { variant, dtype: "bf16", bias: "bf16" });
  }
});

Deno.test("matmulNt() and matmulNn() read packed weights by ranges of rows", async () => {
  for (const [dtype, width] of PACKED_WIDTHS) {
    await checkProduct(gpu, "nt", [2, width, 2001], { dtype, bias: "f32" });
    await checkProduct(gpu, "nt", [9, width, 1000], { dtype });
    await checkProduct(gpu, "nn", [2, 1500, width], { dtype });
  }
});

Deno.test("matmulNt() binds the ranges that it says and no more", () => {
  using a = gpu.tensor([1, 32], "a");
  using b = gpu.tensor([701, 32], "b");
  const before = gpu.stats().dispatches;
  using _y = matmulNt(gpu.stream, { a, b });
  assertEquals(gpu.stats().dispatches - before, 3); // 256, 256 and 189 rows
});

Deno.test("products write an output that no binding holds by ranges of rows, with every variant", async () => {
  for (const variant of variants) {
    await checkProduct(gpu, "tn", [301, 19, 67], { variant, accumulate: true });
    await checkProduct(gpu, "tn", [300, 8, 64], { variant, groupLimit: 3 });
    await checkProduct(gpu, "nt", [200, 32, 64], { variant, bias: "f32" });
    await checkProduct(gpu, "nn", [301, 33, 65], { variant, accumulate: true });
  }
});

Deno.test("products and second moments too large for a binding agree with their twins, with every variant", async () => {
  using wide = await Gpu.open({ maxBindingBytes: 200_000 });
  for (const variant of [...variants, undefined]) {
    // Left operand, weight and output are all larger than a binding.
    await checkProduct(wide, "nt", [301, 300, 290], { variant, dtype: "f32", bias: "f32" });
    await checkProduct(wide, "nn", [290, 300, 260], { variant, accumulate: true });
    // Symmetric bit for bit though both halves are computed: ranges of 128, 128 and 44 rows.
    await checkRankK(wide, [300, 19], { variant });
    await checkRankK(wide, [255, 7], { variant, scale: -1 / 3 });
  }
  assertEquals(wide.memory().live, 0);
});

Deno.test("matmulNt() refuses an output of which no binding holds 128 rows", () => {
  using a = gpu.tensor([200, 32], "a");
  using b = gpu.tensor([100, 32], "b");
  assertThrows(
    () => matmulNt(gpu.stream, { a, b }),
    RangeError,
    'Cannot bind rows of "matmul nt" [200, 100] f32: 128 rows take 51200 bytes and one binding of ' +
      `${gpu.adapterName} holds 40000. Use fewer rows at a time or a smaller model`,
  );
});

Deno.test("GPT-2's embedding, 147 MiB in f32, is looked up and multiplied by at the device's own limit of a binding", async () => {
  const [vocab, width] = [50257, 768];
  using device = await Gpu.open();
  // Cheap numbers that no two rows share: multiples of 1/512 in [-1, 1).
  const values = new Float32Array(vocab * width);
  for (let i = 0, bits = 1; i < values.length; i++) {
    bits = Math.imul(bits, 1664525) + 1013904223 | 0;
    values[i] = (bits >> 22) / 512;
  }
  using weight = device.upload(values, [vocab, width], "embedding");
  // The first and last rows, and those on both sides of where 128 MiB end, 43,690 rows and a part of one further.
  const rows = [0, 43_519, 43_520, 43_690, 43_691, vocab - 1];
  using ids = device.upload(Uint32Array.from(rows), [rows.length], "ids");
  using x = embedding(device.stream, { weight, ids });
  using y = matmulNt(device.stream, { a: x, b: weight });
  const [found, products] = await device.stream.read(x, y);
  const rowOf = (row: number): Float32Array => values.subarray(row * width, (row + 1) * width);
  assertEquals(found, Float32Array.from(rows.flatMap((row) => [...rowOf(row)])));
  const checked = [...rows, ...Array.from({ length: 500 }, (_, i) => (i * 7919) % vocab)];
  for (const [i, row] of rows.entries()) {
    for (const col of checked) {
      let want = 0;
      let size = 0;
      for (let k = 0; k < width; k++) {
        const term = rowOf(row)[k]! * rowOf(col)[k]!;
        want += term;
        size += Math.abs(term);
      }
      const error = Math.abs(products[i * vocab + col]! - want);
      assert(error <= 2 * width * 2 ** -24 * size, `[${row}, ${col}] is off by ${error}`);
    }
  }
});

Deno.test("products by ranges of rows leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
