import { assertEquals, assertThrows } from "@std/assert";
import { rankK } from "../../kernels/rank_k.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { checkRankK } from "./matmul_cases.ts";

const gpu = await Gpu.open();

Deno.test("rankK() adds outer products worked out by hand", async () => {
  using x = gpu.upload(Float32Array.of(1, 2, 3, -1), [2, 2], "x");
  using into = gpu.upload(Float32Array.of(100, 200, 200, 400), [2, 2], "into");
  rankK(gpu.stream, { x, into }, { scale: 2 });
  assertEquals([...(await gpu.stream.read(into))[0]], [120, 198, 198, 410]);
});

Deno.test("rankK() agrees with its twin and is symmetric bit for bit", async () => {
  for (const size of [[1, 1], [13, 7], [63, 5], [64, 33], [65, 8], [130, 41]] as const) await checkRankK(gpu, size);
});

Deno.test("rankK() scales, also by a negative factor", () => checkRankK(gpu, [31, 17], { scale: -1 / 3 }));

Deno.test("rankK() folds blocks over two grid dimensions", () => checkRankK(gpu, [150, 4], { groupLimit: 4 }));

Deno.test("rankK() of no rows dispatches nothing", () => {
  using x = gpu.tensor([0, 3], "x");
  using into = gpu.zeros([3, 3], "into");
  const before = gpu.stats().dispatches;
  rankK(gpu.stream, { x, into });
  assertEquals(gpu.stats().dispatches - before, 0);
});

Deno.test("rankK() refuses a sum of another size and to write into its operand", () => {
  using x = gpu.tensor([5, 3], "x");
  using into = gpu.tensor([3, 4], "into");
  using square = gpu.tensor([3, 3], "square");
  assertThrows(
    () => rankK(gpu.stream, { x, into }),
    RangeError,
    "Cannot accumulate a second moment: into must have shape [3, 3], got [3, 4]",
  );
  assertThrows(
    () => rankK(gpu.stream, { x: square, into: square }),
    TypeError,
    'Cannot accumulate a second moment: into shares its buffer with operand "square"',
  );
});

Deno.test("rankK() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});
