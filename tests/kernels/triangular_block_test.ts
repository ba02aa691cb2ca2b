import { assertEquals, assertThrows } from "@std/assert";
import { triangularBlock } from "../../kernels/triangular_block.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { sumOfProducts } from "../reference/cholesky.ts";
import { starts } from "./cholesky_operands.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const gpu = await Gpu.open();
const BLOCK = 64;

async function check(n: number, columns: number, start: number, transposed: boolean): Promise<void> {
  const factor = normals("lower", n * n);
  const inverted = normals("inverse", n * BLOCK);
  const before = normals("x", n * columns);
  using lower = gpu.upload(factor, [n, n], "lower");
  using inverse = gpu.upload(inverted, [n / BLOCK, BLOCK, BLOCK], "inverse");
  using x = gpu.upload(before, [n, columns], "x");
  triangularBlock(gpu.stream, { lower, inverse, x }, { start, transposed });
  const [got] = await gpu.stream.read(x);
  const first = transposed ? start + BLOCK : 0;
  const count = transposed ? n - first : start;
  for (let r = 0; r < columns; r++) {
    const rest = Array.from({ length: BLOCK }, (_, i) => {
      const row = start + i;
      const { value, size } = sumOfProducts(
        count,
        (t) => (transposed ? factor[(first + t) * n + row] : factor[row * n + first + t]),
        (t) => before[(first + t) * columns + r],
      );
      const own = before[row * columns + r];
      return { value: own - value, error: (2 * count + 2) * UNIT * (size + Math.abs(own)) };
    });
    for (let i = 0; i < BLOCK; i++) {
      const at = (t: number): number => inverted[start * BLOCK + (transposed ? t * BLOCK + i : i * BLOCK + t)];
      const { value, size } = sumOfProducts(BLOCK, at, (t) => rest[t].value);
      const carried = sumOfProducts(BLOCK, at, (t) => rest[t].error).size;
      const bound = 2 * BLOCK * UNIT * (size + carried) + carried;
      assertWithin([got[(start + i) * columns + r]], [value], [bound], `row ${start + i}, column ${r} of ${n}`);
    }
  }
  for (let at = 0; at < n * columns; at++) {
    if (at < start * columns || at >= (start + BLOCK) * columns) assertEquals(got[at], before[at]);
  }
}

Deno.test("triangularBlock() agrees with its twin at every block, for L and its transpose", async () => {
  for (const [n, columns] of [[64, 4], [128, 12], [192, 4]]) {
    for (const start of starts(n)) {
      await check(n, columns, start, false);
      await check(n, columns, start, true);
    }
  }
});

Deno.test("triangularBlock() without right-hand sides dispatches nothing", () => {
  using lower = gpu.tensor([64, 64], "lower");
  using inverse = gpu.tensor([1, 64, 64], "inverse");
  using x = gpu.tensor([64, 0], "x");
  const before = gpu.stats().dispatches;
  triangularBlock(gpu.stream, { lower, inverse, x }, { start: 0 });
  assertEquals(gpu.stats().dispatches, before);
});

Deno.test("triangularBlock() refuses right-hand sides that do not come in fours", () => {
  using lower = gpu.tensor([64, 64], "lower");
  using inverse = gpu.tensor([1, 64, 64], "inverse");
  using x = gpu.tensor([64, 3], "x");
  assertThrows(
    () => triangularBlock(gpu.stream, { lower, inverse, x }, { start: 0 }),
    RangeError,
    "Cannot solve for a block of rows: x must have 256 elements, got 192 in [64, 3]",
  );
});

Deno.test("triangularBlock() leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
