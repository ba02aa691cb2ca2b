import { assertEquals, assertThrows } from "@std/assert";
import { scatterRows } from "../../kernels/scatter_rows.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import * as twin from "../reference/row_moves.ts";
import { normals, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();

async function check(width: number, rows: readonly number[], groupLimit?: number): Promise<void> {
  const [data, base] = [normals("x", rows.length * width), normals("into", 8 * width)];
  using x = gpu.upload(data, [rows.length, width], "x");
  using index = gpu.upload(Uint32Array.from(rows), [rows.length], "index");
  using into = gpu.upload(base, [2, 4, width], "into");
  scatterRows(gpu.stream, { x, index, into }, { groupLimit });
  const [got] = await gpu.stream.read(into);
  assertEquals(Array.from(got), Array.from(twin.scatterRows(data, width, rows, base)));
}

Deno.test("scatterRows() overwrites the chosen rows and no others", async () => {
  await check(1, [5]);
  await check(7, [5, 0, 3]);
  await check(9, [7, 6, 5, 4, 3, 2, 1, 0]);
  await withGpuThreads(gpu, async () => await check(65, [4, 1]));
});

Deno.test("scatterRows() skips indices past the end", async () => {
  await check(5, [2, 8, 4294967295, 1]);
});

Deno.test("scatterRows() folds rows over two grid dimensions", async () => {
  await check(5, [0, 7, 2, 3, 6, 5, 1], 3);
});

Deno.test("scatterRows() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 3], "x");
  using index = gpu.tensor([0], "index", "u32");
  using into = gpu.upload(normals("into", 6), [2, 3], "into");
  const before = gpu.stats().dispatches;
  scatterRows(gpu.stream, { x, index, into });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("scatterRows() refuses other widths, other counts and a tensor scattered into itself", () => {
  using x = gpu.upload(normals("x", 6), [2, 3], "x");
  using index = gpu.upload(Uint32Array.of(0, 1), [2], "index");
  using one = gpu.upload(Uint32Array.of(0), [1], "one");
  using into = gpu.upload(normals("into", 8), [2, 4], "into");
  assertThrows(
    () => scatterRows(gpu.stream, { x, index, into }),
    RangeError,
    "Cannot scatter rows: into must be 3 wide, got [2, 4]",
  );
  assertThrows(
    () => scatterRows(gpu.stream, { x, index: one, into: x }),
    RangeError,
    "Cannot scatter rows: index must have 2 elements, got 1 in [1]",
  );
  assertThrows(
    () => scatterRows(gpu.stream, { x, index, into: x }),
    TypeError,
    'Cannot scatter rows: into shares its buffer with operand "x". Write to another tensor',
  );
});

Deno.test("scatterRows() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
