import { assertEquals, assertThrows } from "@std/assert";
import { choleskyBlock } from "../../kernels/cholesky_block.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { blockOf, lowerFactor, lowerInverse, sumOfProducts } from "../reference/cholesky.ts";
import { spdValues, starts } from "./cholesky_operands.ts";
import { assertWithin, DIVISION, ROOT, UNIT } from "./operands.ts";

const gpu = await Gpu.open();
const BLOCK = 64;
const FLOOR = 2 ** -21;

/** Runs the kernel on one block. */
async function factor(
  values: Float32Array<ArrayBuffer>,
  n: number,
  start: number,
  given: number = 0,
): Promise<{ a: Float32Array; inverse: Float32Array; status: number }> {
  using a = gpu.upload(values, [n, n], "a");
  using inverse = gpu.zeros([n / BLOCK, BLOCK, BLOCK], "inverse");
  using status = gpu.upload(new Uint32Array([given]), [1], "status");
  choleskyBlock(gpu.stream, { a, inverse, status }, { start, floor: FLOOR });
  const [factored, inverted, [bad]] = await gpu.stream.read(a, inverse, status);
  return { a: factored as Float32Array, inverse: inverted as Float32Array, status: bad };
}

Deno.test("choleskyBlock() gives a factor whose product is the block, at every block and condition", async () => {
  for (const [n, condition] of [[64, 1], [64, 1e5], [128, 100], [192, 1e3]]) {
    const values = spdValues(n, condition, n);
    for (const start of starts(n)) {
      const { a, inverse, status } = await factor(values, n, start);
      assertEquals(status, 0);
      const lower = blockOf(a, n, start, BLOCK);
      const wanted = blockOf(values, n, start, BLOCK);
      const inverted = inverse.subarray(start * BLOCK, (start + BLOCK) * BLOCK);
      for (let i = 0; i < BLOCK; i++) {
        for (let j = 0; j <= i; j++) {
          const product = sumOfProducts(j + 1, (k) => lower[i * BLOCK + k], (k) => lower[j * BLOCK + k]);
          // Higham 2002, theorem 10.3, with WGSL's division and root in the place of correctly rounded ones.
          const bound = ((j + 2) * 2 * UNIT + DIVISION + 2 * ROOT) * product.size;
          assertWithin([product.value], [wanted[i * BLOCK + j]], [bound], `L L' at ${i}, ${j}`);
          const unit = sumOfProducts(i + 1, (k) => lower[i * BLOCK + k], (k) => inverted[k * BLOCK + j]);
          assertWithin(
            [unit.value],
            [i === j ? 1 : 0],
            [((i + 2) * 2 * UNIT + DIVISION) * unit.size],
            `L inverse(L) at ${i}, ${j}`,
          );
        }
        for (let j = i + 1; j < BLOCK; j++) {
          assertEquals(lower[i * BLOCK + j], wanted[i * BLOCK + j]);
          assertEquals(inverted[i * BLOCK + j], 0);
        }
      }
    }
  }
});

Deno.test("choleskyBlock() agrees with its twins where the condition amplifies little", async () => {
  const values = spdValues(64, 4, 3);
  const { a, inverse } = await factor(values, 64, 0);
  const lower = lowerFactor(values, 64);
  const inverted = lowerInverse(lower, 64);
  // Relative normwise error of a factor: the backward error, 64 terms a sum, times the condition of 4 times sqrt(64).
  const bound = new Float64Array(64 * 64).fill(64 * 2 * UNIT * 4 * 8);
  const kept = lower.map((value, at) => (at % 64 > Math.floor(at / 64) ? values[at] : value));
  assertWithin(a, kept, bound, "L");
  assertWithin(inverse, inverted, bound.map((value) => value * 4), "inverse");
});

Deno.test("choleskyBlock() leaves the other blocks alone", async () => {
  const values = spdValues(128, 10, 5);
  const { a } = await factor(values, 128, 64);
  for (let i = 0; i < 128; i++) {
    for (let j = 0; j < 128; j++) if (i < 64 || j < 64) assertEquals(a[i * 128 + j], values[i * 128 + j]);
  }
});

Deno.test("choleskyBlock() reports the first bad pivot: negative, zero, below the floor, NaN or infinite", async () => {
  for (const bad of [-1, 0, FLOOR / 2, NaN, Infinity]) {
    const values = new Float32Array(128 * 128);
    for (let i = 0; i < 128; i++) values[i * 128 + i] = 1;
    values[(64 + 5) * 129] = bad;
    values[(64 + 9) * 129] = -3;
    const { status, inverse } = await factor(values, 128, 64);
    assertEquals(status, 64 + 5 + 1);
    assertEquals(inverse[64 * 64 + 6 * 65], 1);
    assertEquals((await factor(values, 128, 0)).status, 0);
    assertEquals((await factor(values, 128, 64, 3)).status, 3);
  }
});

Deno.test("choleskyBlock() refuses sizes that are no whole blocks and operands of other kinds", () => {
  using a = gpu.tensor([65, 65], "a");
  using whole = gpu.tensor([64, 64], "whole");
  using status = gpu.tensor([1], "status", "u32");
  using inverse = gpu.tensor([1, 64, 64], "inverse");
  const options = { start: 0, floor: FLOOR };
  assertThrows(
    () => choleskyBlock(gpu.stream, { a, inverse, status }, options),
    RangeError,
    "Cannot factor a diagonal block: size and first row must be multiples of 64 with the row inside, got 65 and 0",
  );
  for (const start of [-64, 3, 64]) {
    assertThrows(
      () => choleskyBlock(gpu.stream, { a: whole, inverse, status }, { start, floor: FLOOR }),
      RangeError,
      `got 64 and ${start}`,
    );
  }
  assertThrows(
    () => choleskyBlock(gpu.stream, { a: whole, inverse: status, status }, options),
    TypeError,
    "Cannot factor a diagonal block: inverse must be f32",
  );
  assertThrows(
    () => choleskyBlock(gpu.stream, { a: whole, inverse: a, status }, options),
    RangeError,
    "Cannot factor a diagonal block: inverse must have 4096 elements, got 4225",
  );
});

Deno.test("choleskyBlock() leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
