import { assertEquals, assertThrows } from "@std/assert";
import { setElements } from "../../kernels/set_elements.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/sub_values.ts";
import { assertWithin, normals, shuffled, UNIT } from "./operands.ts";

const gpu = await Gpu.open();

async function check(length: number, indices: Uint32Array<ArrayBuffer>, groupLimit?: number): Promise<void> {
  const [data, values] = [normals("into", length), normals("value", indices.length)];
  using index = gpu.upload(indices, [indices.length], "index");
  using value = gpu.upload(values, [indices.length], "value");
  for (const accumulate of [false, true]) {
    using into = gpu.upload(data, [length], "into");
    setElements(gpu.stream, { index, value, into }, { accumulate, groupLimit });
    const [got] = await gpu.stream.read(into);
    const want = twin.setElements(data, indices, values, accumulate);
    // Replacing is exact, adding rounds once.
    assertWithin(got, want, want.map((v) => accumulate ? UNIT * Math.abs(v) : 0), `elements of ${length}`);
  }
}

Deno.test("setElements() replaces and adds at one element, primes and around the number of threads", async () => {
  await check(1, Uint32Array.of(0));
  await check(7, Uint32Array.of(6, 0, 3));
  for (const count of [63, 64, 65, 127]) await check(131, shuffled("index", 131).slice(0, count));
});

Deno.test("setElements() skips indices past the end", async () => {
  await check(5, Uint32Array.of(1, 5, 4294967295));
});

Deno.test("setElements() folds elements over two grid dimensions", async () => {
  await check(400, shuffled("index", 400), 3);
});

Deno.test("setElements() of no indices dispatches nothing", () => {
  using into = gpu.upload(normals("into", 3), [3], "into");
  using index = gpu.tensor([0], "index", "u32");
  using value = gpu.tensor([0], "value");
  const before = gpu.stats().dispatches;
  setElements(gpu.stream, { index, value, into });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("setElements() refuses operands that do not fit", () => {
  using into = gpu.upload(normals("into", 3), [3], "into");
  using index = gpu.upload(Uint32Array.of(0, 1), [2], "index");
  assertThrows(
    () => setElements(gpu.stream, { index, value: into, into }),
    RangeError,
    "Cannot set elements: value must have 2 elements, got 3 in [3]",
  );
  assertThrows(
    () => setElements(gpu.stream, { index: into, value: into, into }),
    TypeError,
    'Cannot set elements: index must be u32, got "into" of f32',
  );
});

Deno.test("setElements() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
