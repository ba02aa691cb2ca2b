import { assertEquals, assertThrows } from "@std/assert";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkProduct } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test("matmulNt() multiplies a small matrix worked out by hand", async () => {
  using a = gpu.upload(Float32Array.of(1, 2, 3, 4), [2, 2], "a");
  using b = gpu.upload(Float32Array.of(0, 2, -1, 6, -2, 10), [3, 2], "b");
  using y = matmulNt(gpu.stream, { a, b });
  const [got] = await gpu.stream.read(y);
  assertEquals([y.shape, [...got]], [[2, 3], [4, 11, 18, 8, 21, 34]]);
});

Deno.test("matmulNt() agrees with its twin with the chosen variants", async () => {
  for (const size of [[1, 1, 1], [1, 97, 53], [8, 64, 9], [61, 37, 131]] as const) await checkProduct(gpu, "nt", size);
});

Deno.test("matmulNt() folds blocks over two grid dimensions", async () => {
  await checkProduct(gpu, "nt", [67, 5, 200], { groupLimit: 3 });
});

Deno.test("matmulNt() reads weights and biases of every stored type", async () => {
  for (const dtype of ["f32", "f16", "bf16"] as const) {
    await checkProduct(gpu, "nt", [9, 12, 21], { dtype, bias: dtype });
    await checkProduct(gpu, "nt", [2, 7, 5], { dtype, bias: dtype, accumulate: true });
  }
});

Deno.test("matmulNt() flattens the leading dimensions of a", async () => {
  using a = gpu.upload(Float32Array.of(1, 2, 3, 4), [2, 1, 2], "a");
  using b = gpu.upload(Float32Array.of(1, -1), [1, 2], "b");
  using y = matmulNt(gpu.stream, { a, b });
  assertEquals([y.shape, [...(await gpu.stream.read(y))[0]]], [[2, 1], [-1, -1]]);
});

Deno.test("matmulNt() over an empty inner dimension is the bias", async () => {
  using a = gpu.tensor([2, 0], "a");
  using b = gpu.tensor([3, 0], "b");
  using bias = gpu.upload(Float32Array.of(1, 2, 3), [3], "bias");
  using y = matmulNt(gpu.stream, { a, b, bias });
  assertEquals([...(await gpu.stream.read(y))[0]], [1, 2, 3, 1, 2, 3]);
});

Deno.test("matmulNt() of no rows or no columns dispatches nothing", () => {
  using a = gpu.tensor([0, 4], "a");
  using row = gpu.tensor([1, 4], "row");
  using b = gpu.tensor([3, 4], "b");
  using none = gpu.tensor([0, 4], "none");
  const before = gpu.stats().dispatches;
  using y = matmulNt(gpu.stream, { a, b });
  using z = matmulNt(gpu.stream, { a: row, b: none });
  assertEquals([y.shape, z.shape, gpu.stats().dispatches - before], [[0, 3], [1, 0], 0]);
});

Deno.test("matmulNt() refuses operands that do not fit", () => {
  using a = gpu.tensor([3, 4], "a");
  using b = gpu.tensor([5, 6], "b");
  using cube = gpu.tensor([1, 3, 4], "cube");
  using fits = gpu.tensor([5, 4], "fits");
  using ids = gpu.tensor([5, 4], "ids", "u32");
  using bias = gpu.tensor([4], "bias");
  const { stream } = gpu;
  assertThrows(
    () => matmulNt(stream, { a, b }),
    RangeError,
    "Cannot multiply a [3, 4] by b [5, 6]: inner dimensions must match, got 4 and 6",
  );
  assertThrows(
    () => matmulNt(stream, { a, b: cube }),
    RangeError,
    "Cannot multiply: b must be [cols, inner], got [1, 3, 4]",
  );
  assertThrows(
    () => matmulNt(stream, { a, b: ids }),
    TypeError,
    'Cannot multiply: b must be one of f32, f16, bf16, q4_0, q4_1, q8_0, q4_k, q6_k, got "ids" of u32',
  );
  assertThrows(
    () => matmulNt(stream, { a, b: fits, bias }),
    RangeError,
    "Cannot multiply: bias must have shape [5], got [4]",
  );
  assertThrows(
    () => matmulNt(stream, { a, b: fits }, { out: bias }),
    RangeError,
    "Cannot multiply: out must have 15 elements, got 4 in [4]",
  );
});

Deno.test("matmulNt() refuses to accumulate into nothing and to write into an operand", () => {
  using a = gpu.tensor([4, 4], "a");
  using b = gpu.tensor([4, 4], "b");
  assertThrows(
    () => matmulNt(gpu.stream, { a, b }, { accumulate: true }),
    TypeError,
    "Cannot multiply: accumulate needs a tensor out to add to",
  );
  assertThrows(
    () => matmulNt(gpu.stream, { a, b }, { out: a }),
    TypeError,
    'Cannot multiply: out shares its buffer with operand "a"',
  );
});

Deno.test("matmulNt() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
