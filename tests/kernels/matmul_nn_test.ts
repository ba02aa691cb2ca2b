import { assertEquals, assertThrows } from "@std/assert";
import { matmulNn } from "../../kernels/matmul_nn.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test("matmulNn() multiplies a small matrix worked out by hand", async () => {
  using a = gpu.upload(Float32Array.of(1, 2, 3, 4), [2, 2], "a");
  using b = gpu.upload(Float32Array.of(0, -1, -2, 2, 6, 10), [2, 3], "b");
  using y = matmulNn(gpu.stream, { a, b });
  const [got] = await gpu.stream.read(y);
  assertEquals([y.shape, [...got]], [[2, 3], [4, 11, 18, 8, 21, 34]]);
});

Deno.test("matmulNn() agrees with its twin with the chosen variants", async () => {
  for (const size of [[1, 1, 1], [1, 97, 53], [8, 64, 9], [61, 37, 131]] as const) await checkProduct(gpu, "nn", size);
});

Deno.test("matmulNn() folds blocks over two grid dimensions", async () => {
  await checkProduct(gpu, "nn", [67, 5, 200], { groupLimit: 3 });
});

Deno.test("matmulNn() reads weights and biases of every stored type", async () => {
  for (const dtype of ["f32", "f16", "bf16"] as const) {
    await checkProduct(gpu, "nn", [9, 12, 24], { dtype, bias: dtype });
    await checkProduct(gpu, "nn", [2, 7, 5], { dtype, bias: dtype, accumulate: true });
  }
});

Deno.test("matmulNn() of no rows dispatches nothing", () => {
  using a = gpu.tensor([0, 4], "a");
  using b = gpu.tensor([4, 3], "b");
  const before = gpu.stats().dispatches;
  using y = matmulNn(gpu.stream, { a, b });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 3], 0]);
});

Deno.test("matmulNn() refuses inner dimensions that differ", () => {
  using a = gpu.tensor([3, 4], "a");
  using b = gpu.tensor([5, 6], "b");
  assertThrows(
    () => matmulNn(gpu.stream, { a, b }),
    RangeError,
    "Cannot multiply a [3, 4] by b [5, 6]: inner dimensions must match, got 4 and 5",
  );
});

Deno.test("matmulNn() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
