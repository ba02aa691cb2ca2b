import { assertEquals, assertThrows } from "@std/assert";
import { matmulTn } from "../../kernels/matmul_tn.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test("matmulTn() multiplies a small matrix worked out by hand", async () => {
  using a = gpu.upload(Float32Array.of(1, 3, 2, 4), [2, 2], "a");
  using b = gpu.upload(Float32Array.of(0, -1, -2, 2, 6, 10), [2, 3], "b");
  using y = matmulTn(gpu.stream, { a, b });
  const [got] = await gpu.stream.read(y);
  assertEquals([y.shape, [...got]], [[2, 3], [4, 11, 18, 8, 21, 34]]);
});

Deno.test("matmulTn() agrees with its twin with the chosen variants", async () => {
  for (const size of [[1, 1, 1], [1, 97, 53], [8, 64, 9], [61, 37, 131]] as const) await checkProduct(gpu, "tn", size);
});

Deno.test("matmulTn() folds blocks over two grid dimensions", async () => {
  await checkProduct(gpu, "tn", [67, 5, 200], { groupLimit: 3 });
});

Deno.test("matmulTn() of no terms is zero, or leaves what it accumulates into", async () => {
  using a = gpu.tensor([0, 2], "a");
  using b = gpu.tensor([0, 3], "b");
  using out = gpu.upload(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], "out");
  using y = matmulTn(gpu.stream, { a, b });
  matmulTn(gpu.stream, { a, b }, { out, accumulate: true });
  const [zeros, kept] = await gpu.stream.read(y, out);
  assertEquals([[...zeros], [...kept]], [[0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6]]);
});

Deno.test("matmulTn() refuses inner dimensions that differ and half operands", () => {
  using a = gpu.tensor([3, 4], "a");
  using b = gpu.tensor([5, 6], "b");
  using half = gpu.tensor([3, 6], "half", "bf16");
  assertThrows(
    () => matmulTn(gpu.stream, { a, b }),
    RangeError,
    "Cannot multiply a [3, 4] by b [5, 6]: inner dimensions must match, got 3 and 5",
  );
  assertThrows(
    () => matmulTn(gpu.stream, { a, b: half }),
    TypeError,
    'Cannot multiply: b must be f32, got "half" of bf16',
  );
});

Deno.test("matmulTn() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
