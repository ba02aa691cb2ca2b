import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { elementCount, formatShape } from "../../src/gpu/tensor.ts";

const gpu = await Gpu.open();

Deno.test("Tensor knows its shape, elements and bytes in every dtype", () => {
  using f32 = gpu.tensor([2, 3], "a");
  using bf16 = gpu.tensor([3], "b", "bf16");
  using scalar = gpu.tensor([], "c", "u32");
  using none = gpu.tensor([4, 0], "d");
  assertEquals([f32.length, f32.byteLength, f32.dtype], [6, 24, "f32"]);
  assertEquals([bf16.length, bf16.byteLength], [3, 6]);
  assertEquals([scalar.length, scalar.byteLength], [1, 4]);
  assertEquals([none.length, none.byteLength], [0, 0]);
});

Deno.test("Tensor keeps its own copy of the shape, which cannot be changed", () => {
  const shape = [2, 3];
  using tensor = gpu.tensor(shape, "a");
  shape[0] = 7;
  assertEquals(tensor.shape, [2, 3]);
  assertThrows(() => (tensor.shape as number[]).push(1), TypeError);
});

Deno.test("Tensor.view() shares the buffer under another shape and does not own it", async () => {
  using tensor = gpu.upload(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3], "grid");
  const view = tensor.view([3, 2]);
  assertStrictEquals(view.storage, tensor.storage);
  const [values] = await gpu.stream.read(view);
  assertEquals([...values], [1, 2, 3, 4, 5, 6]);
  const { live } = gpu.memory();
  view.dispose();
  assertEquals(gpu.memory().live, live);
  assertEquals([view.disposed, tensor.disposed], [true, false]);
  assertThrows(
    () => tensor.view([4, 2]),
    RangeError,
    'Cannot view "grid" [2, 3] as [4, 2]: element counts must match, got 6 and 8',
  );
});

Deno.test("Tensor refuses any use after it was disposed, and being disposed twice is harmless", async () => {
  const tensor = gpu.tensor([2], "short-lived");
  tensor.dispose();
  tensor.dispose();
  const message = 'Cannot use tensor "short-lived" after it was disposed: keep it in a longer `using` scope';
  assertThrows(() => tensor.storage, TypeError, message);
  assertThrows(() => tensor.view([2]), TypeError, message);
  assertThrows(() => gpu.stream.clear(tensor), TypeError, message);
  await assertRejects(() => gpu.stream.read(tensor), TypeError, message);
});

Deno.test("elementCount() refuses sizes that are no counts", () => {
  assertEquals([elementCount([]), elementCount([2, 0, 5]), elementCount([7, 3])], [1, 0, 21]);
  for (const size of [-1, 0.5, NaN, Infinity]) {
    assertThrows(
      () => elementCount([2, size]),
      RangeError,
      `Cannot make a tensor of shape [2, ${size}]: sizes must be integers from 0 up`,
    );
  }
  assertEquals(formatShape([2, 3]), "[2, 3]");
});

Deno.test("Tensor leaves nothing behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
