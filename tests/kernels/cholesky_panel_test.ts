import { assertEquals, assertThrows } from "@std/assert";
import { choleskyPanel } from "../../kernels/cholesky_panel.ts";
import { suitsBlockProducts } from "../../kernels/cholesky_block.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { sumOfProducts } from "../reference/cholesky.ts";
import { starts } from "./cholesky_operands.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const BLOCK = 64;

async function check(gpu: Gpu, n: number, start: number, groupLimit?: number): Promise<void> {
  const aValues = normals("a", n * n);
  const inverseValues = normals("inverse", n * BLOCK);
  const before = normals("panel", n * BLOCK);
  using a = gpu.upload(aValues, [n, n], "a");
  using inverse = gpu.upload(inverseValues, [n / BLOCK, BLOCK, BLOCK], "inverse");
  using panel = gpu.upload(before, [n, BLOCK], "panel");
  choleskyPanel(gpu.stream, { a, inverse, panel }, groupLimit === undefined ? { start } : { start, groupLimit });
  const [got] = await gpu.stream.read(panel);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < BLOCK; j++) {
      const at = i * BLOCK + j;
      if (i < start + BLOCK) {
        assertEquals(got[at], before[at]);
        continue;
      }
      const { value, size } = sumOfProducts(
        BLOCK,
        (k) => aValues[i * n + start + k],
        (k) => inverseValues[(start + j) * BLOCK + k],
      );
      assertWithin([got[at]], [value], [2 * BLOCK * UNIT * size], `panel ${i}, ${j} of ${n} from ${start}`);
    }
  }
}

// Without subgroups every device runs the plain kernel.
for (const gpu of [await Gpu.open(), await Gpu.open({ without: ["subgroups"] })]) {
  const variant = suitsBlockProducts(gpu) ? "cholesky_panel_subgroup" : "cholesky_panel";

  Deno.test(`choleskyPanel() as ${variant} agrees with its twin at every block of a matrix and writes only below it`, async () => {
    for (const n of [64, 128, 192]) for (const start of starts(n)) await check(gpu, n, start);
  });

  Deno.test(`choleskyPanel() as ${variant} folds rows over two grid dimensions`, async () => {
    await check(gpu, 256, 0, 4);
    await check(gpu, 256, 64, 3);
  });

  Deno.test(`choleskyPanel() as ${variant} below the last block dispatches nothing`, () => {
    using a = gpu.tensor([64, 64], "a");
    using inverse = gpu.tensor([1, 64, 64], "inverse");
    using panel = gpu.tensor([64, 64], "panel");
    const before = gpu.stats().dispatches;
    choleskyPanel(gpu.stream, { a, inverse, panel }, { start: 0 });
    assertEquals(gpu.stats().dispatches, before);
  });

  Deno.test(`choleskyPanel() as ${variant} refuses a panel of another size`, () => {
    using a = gpu.tensor([128, 128], "a");
    using inverse = gpu.tensor([2, 64, 64], "inverse");
    using panel = gpu.tensor([64, 64], "panel");
    assertThrows(
      () => choleskyPanel(gpu.stream, { a, inverse, panel }, { start: 0 }),
      RangeError,
      "Cannot compute a Cholesky panel: panel must have 8192 elements, got 4096 in [64, 64]",
    );
  });

  Deno.test(`choleskyPanel() as ${variant} leaves no tensor behind`, () => {
    assertEquals(gpu.memory().live, 0);
    gpu.close();
  });
}
