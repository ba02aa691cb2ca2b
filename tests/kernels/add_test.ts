import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addScaled } from "../reference/elementwise.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

async function check(length: number, scale?: number, groupLimit?: number): Promise<void> {
  const [first, second] = [normals("a", length), normals("b", length)];
  using a = gpu.upload(first, [length], "a");
  using b = gpu.upload(second, [length], "b");
  using y = add(gpu.stream, { a, b }, { scale, groupLimit });
  const [got] = await gpu.stream.read(y);
  const factor = Math.fround(scale ?? 1);
  const bound = Array.from(first, (v, i) => 2 * UNIT * (Math.abs(v) + Math.abs(factor * second[i]!)));
  assertWithin(got, addScaled(first, second, factor), bound, `add of ${length}`);
}

Deno.test("add() agrees with its twin at one element, primes and around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(length);
});

Deno.test("add() scales the second operand", async () => {
  await check(7, -1);
  await check(7, 0.1);
});

Deno.test("add() folds groups over two grid dimensions", async () => {
  await check(1500, 2, 2);
});

Deno.test("add() writes out if given, and dispatches nothing for no elements", () => {
  using a = gpu.upload(normals("a", 4), [2, 2], "a");
  using out = gpu.tensor([4], "out");
  assertStrictEquals(add(gpu.stream, { a, b: a }, { out }), out);
  using none = gpu.tensor([0, 2], "none");
  const before = gpu.stats().dispatches;
  using y = add(gpu.stream, { a: none, b: none });
  assertEquals([y.shape, gpu.stats().dispatches - before], [[0, 2], 0]);
});

Deno.test("add() refuses operands of different size and an operand as output", () => {
  using a = gpu.upload(normals("a", 4), [4], "a");
  using b = gpu.upload(normals("b", 3), [3], "b");
  assertThrows(() => add(gpu.stream, { a, b }), RangeError, "Cannot add: b must have 4 elements, got 3 in [3]");
  assertThrows(
    () => add(gpu.stream, { a, b: a }, { out: a.view([2, 2]) }),
    TypeError,
    'Cannot add: out shares its buffer with operand "a". Write to another tensor',
  );
});

Deno.test("add() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
