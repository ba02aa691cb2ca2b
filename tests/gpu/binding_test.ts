import { assertEquals, assertThrows } from "@std/assert";
import { boundRange, rowRanges } from "../../src/gpu/binding.ts";
import { Gpu } from "../../src/gpu/gpu.ts";

const gpu = await Gpu.open({ maxBindingBytes: 8192 });

Deno.test("rowRanges() keeps a matrix whole that one binding holds", () => {
  using matrix = gpu.tensor([64, 32], "matrix");
  assertEquals(rowRanges(matrix), [{ first: 0, rows: 64, binding: matrix }]);
});

Deno.test("rowRanges() parts rows so that each range begins at a multiple of 256 bytes and fits, in every dtype", async () => {
  for (const dtype of ["f32", "f16", "bf16", "q4_0", "q4_1", "q8_0", "q4_k", "q6_k"] as const) {
    using device = await Gpu.open({ maxBindingBytes: 40_000 });
    const cols = dtype.endsWith("_k") ? 256 : 32;
    using matrix = device.tensor([3001, cols], "matrix", dtype);
    const ranges = rowRanges(matrix);
    let rows = 0;
    for (const { first, rows: count, binding } of ranges) {
      const { offset, size } = boundRange(binding, device.bindingBytes);
      assertEquals([first, offset % 256, size <= 40_000], [rows, 0, true], dtype);
      rows += count;
    }
    assertEquals([rows, ranges.length > 1], [3001, true]);
  }
});

Deno.test("rowRanges() refuses rows that are too wide, with the numbers", () => {
  using matrix = gpu.tensor([200, 33], "matrix");
  assertThrows(
    () => rowRanges(matrix),
    RangeError,
    'Cannot bind rows of "matrix" [200, 33] f32: 128 rows take 16896 bytes and one binding of ' +
      `${gpu.adapterName} holds 8192. Use fewer rows at a time or a smaller model`,
  );
});

Deno.test("boundRange() refuses more than one binding holds, with the numbers", () => {
  using matrix = gpu.tensor([2049], "long");
  assertThrows(
    () => boundRange(matrix, gpu.bindingBytes),
    RangeError,
    `Cannot bind "long" [2049] f32: it takes 8224 bytes and one binding of ${gpu.adapterName} holds 8192. ` +
      "Use fewer rows at a time",
  );
});

Deno.test("boundRange() takes all of a buffer that fits, else what the elements take", () => {
  using small = gpu.tensor([3], "small");
  using large = gpu.tensor([1729], "large"); // 6916 bytes in a buffer of 8192
  assertEquals(boundRange(small, 8192), { offset: 0, size: 256 });
  assertEquals(boundRange(large, 8192), { offset: 0, size: 8192 });
  assertEquals(boundRange(large, 7000), { offset: 0, size: 6944 });
});

Deno.test("bindings leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
