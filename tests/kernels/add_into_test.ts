import { assertEquals, assertThrows } from "@std/assert";
import { addInto } from "../../kernels/add_into.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addScaled } from "../reference/elementwise.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

async function check(length: number, scale?: number, groupLimit?: number): Promise<void> {
  const [base, added] = [normals("into", length), normals("x", length)];
  using into = gpu.upload(base, [length], "into");
  using x = gpu.upload(added, [length], "x");
  addInto(gpu.stream, { x, into }, { scale, groupLimit });
  const [got] = await gpu.stream.read(into);
  const factor = Math.fround(scale ?? 1);
  const bound = Array.from(base, (v, i) => 2 * UNIT * (Math.abs(v) + Math.abs(factor * added[i]!)));
  assertWithin(got, addScaled(base, added, factor), bound, `sum of ${length}`);
}

Deno.test("addInto() agrees with its twin at one element, primes and around four elements a thread", async () => {
  for (const length of [1, 3, 4, 5, 255, 256, 257, 1031]) await check(length);
});

Deno.test("addInto() scales what it adds and folds groups over two grid dimensions", async () => {
  await check(7, -0.3);
  await check(1500, 2, 2);
});

Deno.test("addInto() dispatches nothing for no elements", () => {
  using none = gpu.tensor([0], "none");
  const before = gpu.stats().dispatches;
  addInto(gpu.stream, { x: none, into: none });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("addInto() refuses operands of different size and a tensor added to itself", () => {
  using x = gpu.upload(normals("a", 4), [4], "x");
  using into = gpu.upload(normals("b", 3), [3], "into");
  assertThrows(
    () => addInto(gpu.stream, { x, into }),
    RangeError,
    "Cannot add in place: into must have 4 elements, got 3 in [3]",
  );
  assertThrows(
    () => addInto(gpu.stream, { x, into: x }),
    TypeError,
    'Cannot add in place: into shares its buffer with operand "x". Write to another tensor',
  );
});

Deno.test("addInto() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
